#include "engines/carriers.hpp"

#include "calls/transfer.hpp"
#include "kernel/clock.hpp"
#include "kernel/interruptible.hpp"
#include "kernel/system_call.hpp"

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <unistd.h>

namespace laio {
namespace {

constexpr std::int64_t patience_ns = 100'000'000; // how long the first in the queue waits before the bound gives way
constexpr std::int64_t next_step_ns = 10'000'000; // and from one carrier beyond the bound to the next

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t stack_bytes = 512 * 1024; // instrumented code takes more
#else
constexpr std::size_t stack_bytes = 64 * 1024;
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

} // namespace

struct carriers::carrier {
    carriers *of;
    carrier *next;         // in all_
    carrier *next_retired; // in retired_
    pthread_t thread;
    long thread_id;        // for the cancel signal; 0 until it runs
};

carriers::~carriers() { pthread_mutex_destroy(&lock_); }

int carriers::open(const laio_options &options, int alarm) {
    alarm_ = alarm;
    max_ = options.carriers_max;
    hard_max_ = options.carriers_hard_max < max_ ? max_ : options.carriers_hard_max;
    idle_ms_ = options.carrier_idle_ms;
    signal_ = take_cancel_signal(static_cast<int>(options.cancel_signal));
    if (signal_ < 0) return signal_;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&work_, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return 0;
}

void carriers::stop() {
    {
        const locked hold(lock_);
        stopping_ = true;
        pthread_cond_broadcast(&work_);
    }
    while (carrier *one = all_) {
        all_ = one->next;
        pthread_join(one->thread, nullptr);
        std::free(one);
    }
    if (signal_ > 0) pthread_cond_destroy(&work_);
}

void carriers::abandon() { all_ = nullptr; }

// One more thread. With the lock held. 0 or a negative errno.
int carriers::add() {
    auto *one = static_cast<carrier *>(std::calloc(1, sizeof(carrier)));
    if (one == nullptr) return -ENOMEM;
    one->of = this;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    const auto least = static_cast<std::size_t>(PTHREAD_STACK_MIN);
    pthread_attr_setstacksize(&attributes, stack_bytes < least ? least : stack_bytes);
    sigset_t blocked_signals;
    sigfillset(&blocked_signals);
    sigdelset(&blocked_signals, signal_);
    pthread_attr_setsigmask_np(&attributes, &blocked_signals);
    const int error = pthread_create(&one->thread, &attributes, run, one);
    pthread_attr_destroy(&attributes);
    if (error != 0) {
        std::free(one);
        return -error;
    }
    pthread_setname_np(one->thread, "laio-carrier");
    one->next = all_;
    all_ = one;
    ++created_;
    if (++alive_ > peak_) peak_ = alive_;
    return 0;
}

int carriers::start(operation &op) {
    join_retired();
    op.queued_ns = now_ns();
    const locked hold(lock_);
    if (idle_ <= depth_ && alive_ < max_) {
        const int r = add();
        if (r < 0 && alive_ == 0) return r;
    }
    op.held = true;
    op.carrier = nullptr;
    queue_.push(op);
    ++started_;
    if (++depth_ > depth_peak_) depth_peak_ = depth_;
    pthread_cond_signal(&work_);
    return 0;
}

bool carriers::cancel(operation &op) {
    const locked hold(lock_);
    if (op.held) {
        op.held = false;
        queue_.remove(op);
        --depth_;
        return true;
    }
    op.cancelled.store(1);
    if (op.carrier == nullptr) return false; // it has ended, and is being handed in
    const auto *runner = static_cast<const carrier *>(op.carrier);
    system_call(SYS_tgkill, getpid(), runner->thread_id, signal_);
    return false;
}

// The next operation for a carrier, or nullptr: it has idled long enough, or all end.
operation *carriers::take(carrier &me) {
    const locked hold(lock_);
    timespec until_when{};
    const std::int64_t end_ns = now_ns() + std::int64_t{idle_ms_} * 1'000'000;
    until_when.tv_sec = end_ns / 1'000'000'000;
    until_when.tv_nsec = end_ns % 1'000'000'000;
    int error = 0;
    while (queue_.empty()) {
        // one beyond the bound does not stay
        if (stopping_ || error == ETIMEDOUT || alive_ > max_) {
            --alive_;
            me.next_retired = retired_;
            retired_ = &me;
            return nullptr;
        }
        ++idle_;
        error = pthread_cond_timedwait(&work_, &lock_, &until_when);
        --idle_;
    }
    operation *op = queue_.pop();
    --depth_;
    op->held = false;
    op->carrier = &me;
    const auto waited_ns = static_cast<std::uint64_t>(now_ns() - op->queued_ns);
    waited_ns_ += waited_ns;
    if (waited_ns > waited_max_ns_) waited_max_ns_ = waited_ns;
    return op;
}

void carriers::make_call(operation &op) {
    const call rest = rest_as_call(op);
    const auto *cancelled = reinterpret_cast<const int *>(&op.cancelled);
    long r = -EINTR;
    // a signal of glibc's own (setuid(2) in another thread) interrupts too
    while (r == -EINTR && op.cancelled.load() == 0) r = laio_interruptible_call(cancelled, rest.number, rest.a);
    op.result = r == -EINTR ? -ECANCELED : r;
}

void carriers::hand_in(operation &op) {
    {
        const locked hold(lock_);
        op.carrier = nullptr; // no cancel signal for it from here on
    }
    operation *latest = handed_in_.load(std::memory_order_relaxed);
    do op.next = latest;
    while (!handed_in_.compare_exchange_weak(latest, &op, std::memory_order_release, std::memory_order_relaxed));
    if (latest != nullptr) return; // the loop was told already
    const std::uint64_t one = 1;
    system_call(SYS_write, alarm_, word(&one), sizeof one);
}

void *carriers::run(void *argument) {
    auto &me = *static_cast<carrier *>(argument);
    me.of->serve(me);
    return nullptr;
}

void carriers::serve(carrier &me) {
    {
        const locked hold(lock_);
        me.thread_id = system_call(SYS_gettid);
    }
    while (operation *op = take(me)) {
        make_call(*op);
        hand_in(*op);
    }
}

void carriers::collect(operation_list &handed_in) {
    operation *latest = handed_in_.exchange(nullptr, std::memory_order_acquire);
    operation *first = nullptr;
    while (latest != nullptr) { // into the order they came in
        operation *earlier = latest->next;
        latest->next = first;
        first = latest;
        latest = earlier;
    }
    while (first != nullptr) {
        operation *next = first->next;
        handed_in.push(*first);
        first = next;
    }
}

void carriers::join_retired() {
    carrier *ended = nullptr;
    {
        const locked hold(lock_);
        ended = retired_;
        retired_ = nullptr;
    }
    while (ended != nullptr) {
        carrier *next = ended->next_retired;
        carrier **place = &all_;
        while (*place != ended) place = &(*place)->next;
        *place = ended->next;
        pthread_join(ended->thread, nullptr);
        std::free(ended);
        ended = next;
    }
}

std::int64_t carriers::next_look_ns() {
    const locked hold(lock_);
    if (queue_.empty() || idle_ > 0 || alive_ >= hard_max_) return 0;
    const std::int64_t patient_ns = queue_.first->queued_ns + patience_ns;
    const std::int64_t step_ns = last_added_ns_ + next_step_ns;
    return patient_ns > step_ns ? patient_ns : step_ns;
}

void carriers::look_at_queue() {
    const std::int64_t now = now_ns();
    const locked hold(lock_);
    if (queue_.empty() || idle_ > 0 || alive_ >= hard_max_ || queue_.first->queued_ns + patience_ns > now) return;
    last_added_ns_ = now;
    add();
}

void carriers::count(struct laio_stats &stats) {
    const locked hold(lock_);
    stats.carriers = alive_;
    stats.carriers_peak = peak_;
    stats.carriers_created = created_;
    stats.queue_depth = depth_;
    stats.queue_depth_peak = depth_peak_;
    stats.queued = started_;
    stats.queue_wait_ns = waited_ns_;
    stats.queue_wait_max_ns = waited_max_ns_;
}

} // namespace laio
