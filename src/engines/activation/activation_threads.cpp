// The threads of an activation: how they begin and end, and home's second stack and thread pointer. See activation.hpp.
#include "engines/activation/activation.hpp"
#include "engines/activation/guest_thread.hpp"
#include "engines/activation/obstacle.hpp"
#include "engines/threads.hpp"
#include "kernel/futex.hpp"
#include "kernel/interruptible.hpp"
#include "kernel/system_call.hpp"
#include "kernel/thread_pointer.hpp"

#include <cerrno>
#include <cstdlib>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>

namespace laio {
namespace {

// The application's signal handlers may run on it.
constexpr std::size_t stack_bytes = std::size_t{256} * 1024;
constexpr std::size_t page_bytes = 4096; // at least
constexpr std::size_t donor_stack_bytes = std::size_t{64} * 1024;

extern "C" {
[[noreturn]] void laio_activation_resume(guest *from);
void laio_activation_begin(guest *, void (*then)(guest *));
}

struct donor_birth {
    std::atomic<std::uintptr_t> thread_pointer{0};
    const std::atomic<int> *stops;
    const void *crew;
};

void *run_donor(void *argument) {
    auto &birth = *static_cast<donor_birth *>(argument);
    const std::atomic<int> &stops = *birth.stops;
    prctl(PR_SET_NAME, "laio-home");
    member *membership = join_members(0, nullptr, birth.crew);
    give_up_rseq(); // the C library would take the donor's CPU for that of whoever has its thread pointer
    birth.thread_pointer.store(thread_pointer());
    while (stops.load() == 0) futex_wait(stops, 0);
    if (membership != nullptr) leave_members(*membership);
    return nullptr;
}

void *run_guest(void *argument) {
    auto *me = static_cast<guest *>(argument);
    prctl(PR_SET_NAME, "laio-carrier");
    me->own_tp = thread_pointer();
    if (me->call_tp == 0) me->call_tp = me->own_tp;
    me->membership = join_members(me->own_tp, me->of->home_membership(), me->of->crew());
    int r = me->membership != nullptr ? give_up_rseq() : -ENOMEM;
    if (r == 0) r = open_files(*me);
    if (r < 0) me->tid.store(r);
    futex_wake(me->tid);
    if (r == 0) laio_activation_begin(me, [](guest *one) { one->of->rest(*one); });
    return nullptr;
}

} // namespace

int activation::open_home() {
    home_.of = this;
    home_.word.store(word_done);
    home_.app_tp = thread_pointer();
    void *stack = mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) return -ENOMEM;
    home_stack_ = stack;
    if (mprotect(stack, page_bytes, PROT_NONE) != 0) return -errno;
    home_.own_sp = static_cast<char *>(stack) + stack_bytes;
    donor_birth birth;
    birth.stops = &donor_stops_;
    birth.crew = results_;
    if (const int r = start_thread(donor_, run_donor, &birth, donor_stack_bytes); r < 0) return r;
    while ((home_.own_tp = birth.thread_pointer.load()) == 0) system_call(SYS_sched_yield);
    home_.call_tp = signals_blocked_ ? home_.app_tp : home_.own_tp;
    home_.asleep = watchers_.asleep();
    if (const int r = open_files(home_); r < 0) return r;
    set_calls_in_place(reinterpret_cast<const void *>(laio_activation_syscall),
                       reinterpret_cast<const void *>(laio_activation_resume));
    home_.membership = join_members(home_.app_tp, nullptr, results_);
    if (home_.membership == nullptr) return -ENOTSUP;
    home_.membership->stack_top.store(reinterpret_cast<std::uintptr_t>(home_.own_sp));
    return give_up_rseq();
}

int activation::register_process() {
    if (find_activation_obstacle() != activation_obstacle::none) return 0; // open() will say so
    return static_cast<int>(system_call(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0));
}

int activation::open(const laio_options &options, carriers &results) {
    if (find_activation_obstacle() != activation_obstacle::none) return -ENOTSUP;
    results_ = &results;
    idle_ = {options.carrier_idle_ms / 1000, long{options.carrier_idle_ms} % 1000 * 1'000'000};
    ring_use_ = (options.forbid & LAIO_FORBID_RING) != 0 ? ring_use::unknown : ask_ring_use();
    signals_blocked_ = (options.flags & LAIO_SIGNALS_BLOCKED) != 0;
    home_.syscall_file = home_.status_file = home_.stat_file = -1;
    int r = open_home();
    if (r == 0) {
        running_ = &laio_running;
        watchers_.watch(home_);
        r = watchers_.open(*this);
    }
    if (r < 0) close();
    else laio_running = &home_;
    return r;
}

void activation::close() {
    watchers_.close();
    for (guest *one = made_; one != nullptr;) {
        send(*one, errand::end);
        join(*one);
        if (whereabouts found = one->is.load(); found == whereabouts::busy || found == whereabouts::at_rest) {
            leave_members(*one->membership);
            close_files(*one);
        }
        one = one->next_made;
    }
    while (guest *one = made_) { // now the threads that joined others have ended, too
        made_ = one->next_made;
        std::free(one);
    }
    spare_.store(nullptr);
    if (donor_ != 0) {
        donor_stops_.store(1);
        futex_wake(donor_stops_);
        pthread_join(donor_, nullptr);
    }
    close_files(home_);
    if (home_.membership != nullptr) leave_members(*home_.membership);
    home_.membership = nullptr;
    if (running_ != nullptr) take_back_rseq();
    if (home_stack_ != nullptr) munmap(home_stack_, stack_bytes);
    laio_running = nullptr;
}

// The threads are not there, and the memory that they would run on is a copy.
void activation::abandon() {
    watchers_.abandon();
    for (guest *one = made_; one != nullptr; one = one->next_made) close_files(*one);
    if (is_open()) close_files(home_);
    laio_running = nullptr;
}

// Those whose threads have ended, and have been joined, and are in no list but that of all.
void activation::free_ended() {
    for (guest **place = &made_; *place != nullptr;) {
        guest *one = *place;
        if (one->is.load() == whereabouts::to_be_freed && one->joined.load() == 2) {
            *place = one->next_made;
            std::free(one);
        } else place = &one->next_made;
    }
}

// For its caller, not at rest. nullptr: no thread is to be had.
guest *activation::make_guest() {
    free_ended();
    if (!results_->lend()) return nullptr;
    void *memory = std::aligned_alloc(alignof(guest), sizeof(guest));
    if (memory == nullptr) {
        results_->take_back_lent();
        return nullptr;
    }
    auto *one = new (memory) guest{};
    one->of = this;
    one->word.store(word_done);
    one->app_tp = home_.app_tp;
    one->call_tp = signals_blocked_ ? home_.app_tp : 0;
    one->asleep = watchers_.asleep();
    one->syscall_file = one->status_file = one->stat_file = -1;
    if (start_thread(one->thread, run_guest, one, stack_bytes) == 0) {
        while (one->tid.load() == 0) futex_wait(one->tid, 0);
        if (one->tid.load() > 0) {
            one->next_made = made_;
            made_ = one;
            return one;
        }
        pthread_join(one->thread, nullptr);
        if (one->membership != nullptr) leave_members(*one->membership);
        close_files(*one);
    }
    std::free(one);
    results_->take_back_lent();
    return nullptr;
}

// A guest. What it is asked to do next; or it has rested long enough.
errand activation::await(guest &me) {
    bool stays = false;
    for (;;) {
        const int what = me.asked.exchange(0, std::memory_order_acquire);
        if (what != 0) return static_cast<errand>(what);
        const bool may_leave = !stays && me.is.load() == whereabouts::at_rest;
        if (futex_wait(me.asked, 0, may_leave ? &idle_ : nullptr) != -ETIMEDOUT || watchers_.may_look_at(me) ||
            claiming_.load() != 0)
            continue;
        stays = !may_end(me);
        whereabouts found = whereabouts::at_rest;
        if (stays || !me.is.compare_exchange_strong(found, whereabouts::ended)) continue;
        end(me);
        return errand::end;
    }
}

// A guest. Not if something of the application's would end with it.
bool activation::may_end(guest &me) {
    if (!me.has_carried) return true;
    if (ring_use_ == ring_use::unknown || has_ties(ring_use_)) return false;
    me.has_carried = false;
    return true;
}

// A guest that the application does not see any more. Its stack is there until it is joined, by the next one that ends.
void activation::end(guest &me) {
    me.tid.store(0);
    while (is_asking_.load()) system_call(SYS_sched_yield); // its membership may be another thread's soon
    leave_members(*me.membership);
    close_files(me);
    results_->take_back_lent();
    if (guest *before = ended_.exchange(&me); before != nullptr) join(*before);
}

} // namespace laio
