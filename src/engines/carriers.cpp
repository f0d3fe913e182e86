#include "engines/carriers.hpp"

#include "calls/transfer.hpp"
#include "engines/members.hpp"
#include "engines/push.hpp"
#include "engines/threads.hpp"
#include "kernel/clock.hpp"
#include "kernel/file.hpp"
#include "kernel/interruptible.hpp"
#include "kernel/system_call.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace laio {
namespace {

constexpr std::int64_t next_step_ns = 10'000'000; // from one carrier beyond the bound to the next

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t stack_bytes = 512 * 1024; // instrumented code takes more
#else
constexpr std::size_t stack_bytes = std::size_t{64} * 1024;
#endif

static_assert(std::atomic<int>::is_always_lock_free && sizeof(std::atomic<int>) == sizeof(int));

class locked {
public:
    explicit locked(pthread_mutex_t &lock) : lock_(lock) { pthread_mutex_lock(&lock_); }
    ~locked() { pthread_mutex_unlock(&lock_); }
    locked(const locked &) = delete;
    locked &operator=(const locked &) = delete;

private:
    pthread_mutex_t &lock_;
};

// All of a stack of operations, in the order in which they were pushed.
void pop_all(std::atomic<operation *> &stack, operation_list &to) {
    operation *latest = stack.exchange(nullptr, std::memory_order_acquire);
    operation *first = nullptr;
    while (latest != nullptr) {
        operation *earlier = latest->next;
        latest->next = first;
        first = latest;
        latest = earlier;
    }
    while (first != nullptr) {
        operation *next = first->next;
        to.push(*first);
        first = next;
    }
}

// Whether a call that was to wait for its descriptor did not, because O_NONBLOCK was set after it was made.
bool was_made_nonblocking(const operation &op, const call &made) {
    return waits_for_peer(op.what->attempt) && is_nonblocking(static_cast<int>(made.a[0]));
}

// -EINTR when the call should be made again, or was cancelled.
long wait_instead(const operation &op, const call &made, const int *cancelled) {
    const bool writes = op.what->attempt == form::write || op.what->attempt == form::send;
    pollfd one{static_cast<int>(made.a[0]), static_cast<short>(writes ? POLLOUT : POLLIN), 0};
    const long a[6] = {word(&one), 1, 0, 0, 0, 0};
    const long r = laio_interruptible_call(cancelled, SYS_ppoll, a);
    return r < 0 ? r : -EINTR;
}

void raise_to(std::atomic<std::uint64_t> &peak, std::uint64_t value) {
    std::uint64_t seen = peak.load(std::memory_order_relaxed);
    while (seen < value && !peak.compare_exchange_weak(seen, value, std::memory_order_relaxed)) {}
}

} // namespace

struct carriers::carrier {
    carriers *of;
    carrier *next;         // in all_
    carrier *next_retired; // in retired_
    carrier *next_joined;  // in joined_
    std::atomic<bool> has_joiner;
    pthread_t thread;
};

carriers::carriers() { sem_init(&work_, 0, 0); }

carriers::~carriers() {
    sem_destroy(&work_);
    pthread_mutex_destroy(&lock_);
}

int carriers::open(const laio_options &options, int alarm) {
    alarm_ = alarm;
    max_ = options.carriers_max;
    hard_max_ = options.carriers_hard_max < max_ ? max_ : options.carriers_hard_max;
    idle_ms_ = options.carrier_idle_ms;
    signal_ = take_cancel_signal(static_cast<int>(options.cancel_signal));
    return signal_ < 0 ? signal_ : 0;
}

void carriers::stop() {
    stopping_.store(true);
    for (std::uint32_t i = alive_.load(); i > 0; --i) sem_post(&work_);
    for (carrier *one = all_; one != nullptr; one = one->next) join(*one);
    while (carrier *one = all_) { // now those that joined others have ended, too
        all_ = one->next;
        std::free(one);
    }
    retired_.store(nullptr);
    joined_.store(nullptr);
}

// Unless somebody else does already.
bool carriers::join(carrier &one) {
    if (one.has_joiner.exchange(true)) return false;
    pthread_join(one.thread, nullptr);
    return true;
}

void carriers::abandon() {
    while (carrier *one = all_) {
        all_ = one->next;
        std::free(one);
    }
}

// One more thread. 0 or a negative errno.
int carriers::add() {
    auto *one = static_cast<carrier *>(std::calloc(1, sizeof(carrier)));
    if (one == nullptr) return -ENOMEM;
    one->of = this;
    const std::uint32_t alive = alive_.fetch_add(1) + 1;
    expect_member();
    if (const int r = start_thread(one->thread, run, one, stack_bytes, signal_); r < 0) {
        expect_no_member();
        alive_.fetch_sub(1);
        std::free(one);
        return r;
    }
    one->next = all_;
    all_ = one;
    ++created_;
    if (alive + lent_.load() > peak_) peak_ = alive + lent_.load();
    return 0;
}

// The call is in the queue before anybody looks at how many carriers there are: an idle one that has had enough just now
// either sees it, or we see that this one left (leave()).
int carriers::start(operation &op) {
    free_retired();
    op.queued_ns = now_ns();
    op.held = true;
    const std::uint64_t depth = depth_.fetch_add(1) + 1;
    push(inbox_, op, &operation::next);
    sem_post(&work_);
    if (idle_.load() < depth_.load() && alive_.load() < bound()) {
        const int r = add();
        if (r < 0 && alive_.load() + lent_.load() == 0 && take_back(op)) return r;
    }
    ++started_;
    if (depth > depth_peak_) depth_peak_ = depth;
    return 0;
}

// False: a carrier has it.
bool carriers::take_back(operation &op) {
    const locked hold(lock_);
    fill_queue();
    if (!op.held) return false;
    op.held = false;
    queue_.remove(op);
    depth_.fetch_sub(1);
    return true; // the semaphore counts one too many: a carrier will find nothing, and wait again
}

bool carriers::cancel(operation &op) {
    if (take_back(op)) return true;
    op.cancelled.store(1);
    if (const int runner = op.runner.load(); runner > 0) system_call(SYS_tgkill, getpid(), runner, signal_);
    return false;
}

// False: it has idled long enough.
bool carriers::wait_for_work() {
    if (sem_trywait(&work_) == 0) return true;
    const std::int64_t end_ns = now_ns() + std::int64_t{idle_ms_} * 1'000'000;
    const timespec end{end_ns / 1'000'000'000, end_ns % 1'000'000'000};
    idle_.fetch_add(1);
    int r = -1;
    do r = sem_clockwait(&work_, CLOCK_MONOTONIC, &end);
    while (r != 0 && errno == EINTR);
    idle_.fetch_sub(1);
    return r == 0 || sem_trywait(&work_) == 0;
}

// Counts this carrier out if more than `least` are counted and no call waits. Whoever starts a call raises depth_ and then
// looks at alive_; here it is the other way round, so that one of the two sees the other.
bool carriers::leave(std::uint32_t least) {
    std::uint32_t alive = alive_.load();
    while (alive > least) {
        if (!alive_.compare_exchange_weak(alive, alive - 1)) continue;
        if (depth_.load() == 0) return true;
        alive_.fetch_add(1);
        return false;
    }
    return false;
}

// With the lock held.
void carriers::fill_queue() { pop_all(inbox_, queue_); }

// The next operation, or nullptr: the one that was announced has been cancelled.
operation *carriers::take() {
    const locked hold(lock_);
    fill_queue();
    operation *op = queue_.pop();
    if (op == nullptr) return nullptr;
    op->held = false;
    depth_.fetch_sub(1);
    taken_.fetch_add(1, std::memory_order_relaxed);
    return op;
}

void carriers::make_call(operation &op) {
    const call rest = rest_as_call(op);
    const auto *cancelled = reinterpret_cast<const int *>(&op.cancelled);
    op.runner.store(static_cast<int>(system_call(SYS_gettid)));
    long r = -EINTR;
    // a signal of glibc's own (setuid(2) in another thread) interrupts too, as may one that was meant for the call before
    while (r == -EINTR && op.cancelled.load() == 0) {
        if (is_source_gone(op)) {
            r = -EBADF;
            break;
        }
        r = settled(rest.number, laio_interruptible_call(cancelled, rest.number, rest.a));
        if (r == -EAGAIN && was_made_nonblocking(op, rest)) r = wait_instead(op, rest, cancelled);
    }
    op.runner.store(0);
    op.result = r == -EINTR ? -ECANCELED : r;
}

void carriers::hand_in(operation &op) {
    if (!push(handed_in_, op, &operation::next)) return; // the loop was told already
    const std::uint64_t one = 1;
    system_call(SYS_write, alarm_, word(&one), sizeof one);
}

void *carriers::run(void *argument) {
    auto &me = *static_cast<carrier *>(argument);
    prctl(PR_SET_NAME, "laio-carrier");
    member *membership = join_members(0, nullptr, me.of);
    expect_no_member();
    me.of->serve(me);
    if (membership != nullptr) leave_members(*membership);
    return nullptr;
}

void carriers::serve_one() {
    operation *op = take();
    if (op == nullptr) return;
    const auto waited_ns = static_cast<std::uint64_t>(now_ns() - op->queued_ns);
    waited_ns_.fetch_add(waited_ns, std::memory_order_relaxed);
    raise_to(waited_max_ns_, waited_ns);
    make_call(*op);
    hand_in(*op);
}

bool carriers::help() {
    if (sem_trywait(&work_) != 0) return false;
    serve_one();
    return true;
}

bool carriers::lend() {
    if (lent_.load() > 0 && alive_.load() + lent_.load() >= max_) return false; // the first one always
    ++created_;
    const std::uint32_t lent = lent_.fetch_add(1) + 1;
    if (alive_.load() + lent > peak_) peak_ = alive_.load() + lent;
    return true;
}

std::uint32_t carriers::bound() const {
    const std::uint32_t lent = lent_.load();
    return lent < max_ ? max_ - lent : 0;
}

void carriers::serve(carrier &me) {
    for (;;) {
        const bool has_work = wait_for_work();
        if (stopping_.load()) {
            alive_.fetch_sub(1);
            break;
        }
        if (!has_work) {
            if (leave(0)) break;
            continue;
        }
        serve_one();
        // one beyond the bound does not stay when there is nothing to do
        if (depth_.load() == 0 && leave(bound())) break;
    }
    // the stacks of those that ended before go with this one
    carrier *ended = retired_.exchange(nullptr, std::memory_order_acquire);
    push(retired_, me, &carrier::next_retired);
    while (ended != nullptr) {
        carrier *next = ended->next_retired;
        if (join(*ended)) push(joined_, *ended, &carrier::next_joined);
        ended = next;
    }
}

void carriers::collect(operation_list &handed_in) { pop_all(handed_in_, handed_in); }

void carriers::free_retired() {
    if (joined_.load(std::memory_order_relaxed) == nullptr) return;
    carrier *ended = joined_.exchange(nullptr, std::memory_order_acquire);
    while (ended != nullptr) {
        carrier *next = ended->next_joined;
        carrier **place = &all_;
        while (*place != ended) place = &(*place)->next;
        *place = ended->next;
        std::free(ended);
        ended = next;
    }
}

bool carriers::is_full() const { return wants_help() && alive_.load() + lent_.load() < hard_max_; }

std::int64_t carriers::look_at_queue() {
    const std::uint64_t taken = taken_.load();
    const bool has_moved = taken > taken_before_;
    taken_before_ = taken;
    if (has_moved || !is_full()) return patience_ns;
    add();
    ++taken_before_; // by the one added, which says nothing of the others
    return next_step_ns;
}

void carriers::count(struct laio_stats &stats) const {
    stats.carriers = alive_.load() + lent_.load();
    stats.carriers_peak = peak_;
    stats.carriers_created = created_;
    stats.queue_depth = depth_.load();
    stats.queue_depth_peak = depth_peak_;
    stats.queued = started_;
    stats.queue_wait_ns = waited_ns_.load();
    stats.queue_wait_max_ns = waited_max_ns_.load();
}

} // namespace laio
