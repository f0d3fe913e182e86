#include "engines/activation/watchers.hpp"

#include "engines/activation/activation.hpp"
#include "engines/activation/guest_thread.hpp"
#include "engines/members.hpp"
#include "engines/threads.hpp"
#include "kernel/clock.hpp"
#include "kernel/futex.hpp"
#include "kernel/system_call.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <linux/membarrier.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <utility>

namespace laio {
namespace {

constexpr unsigned sentinel_bit = 1;
constexpr unsigned watchdog_bit = 2;
// How long the sentinel stands after the last call: twice as long once a call has come meanwhile, or soon after; else half as
// long, and in the end not at all.
constexpr std::int64_t stand_max_ns = 50'000;
constexpr std::int64_t stand_min_ns = 2'000;
// From the last look of the watchdog, or the last time that the sentinel put it off, to the next: each time twice as long
// while the sentinel gets to run.
constexpr std::int64_t tick_min_ns = 1'500'000;
constexpr std::int64_t tick_max_ns = 6'000'000;
constexpr std::int64_t idle_ns = 6'000'000;  // how long it looks after the last call
constexpr std::int64_t long_ns = 12'000'000; // how long a call may run before it is taken for one that blocks
constexpr std::int64_t away_ns = 2'000;      // somebody else had its CPU: a yield to nobody takes less
constexpr std::size_t stack_bytes = std::size_t{64} * 1024;

// Whether it blocks in the call of that word.
bool blocks(const guest &one, std::uint64_t seen) {
    return is_blocked(one) && one.word.load(std::memory_order_acquire) == seen;
}

} // namespace

int watchers::open(activation &of) {
    alarm_ = static_cast<int>(system_call(SYS_timerfd_create, CLOCK_MONOTONIC, TFD_CLOEXEC));
    if (alarm_ < 0) return alarm_;
    tick_ns_.store(tick_min_ns); // never zero, by which nobody would be woken
    of_ = &of;
    if (const int r = start_thread(sentinel_, run_sentinel, this, stack_bytes); r < 0) return r;
    if (const int r = start_thread(watchdog_, run_watchdog, this, stack_bytes); r < 0) {
        stopping_.store(true);
        wake();
        pthread_join(sentinel_, nullptr);
        watchdog_ = 0;
        return r;
    }
    while (started_.load() < 2) {
        if (pthread_tryjoin_np(sentinel_, nullptr) == 0) return lose_sentinel();
        system_call(SYS_sched_yield);
    }
    return refused_.load();
}

// A filter has killed it for what it asked for, and let the rest of the process live.
int watchers::lose_sentinel() {
    stopping_.store(true);
    wake();
    stop_watchdog();
    return -EPERM;
}

void watchers::close() {
    if (watchdog_ != 0) {
        stopping_.store(true);
        wake();
        pthread_join(sentinel_, nullptr);
        stop_watchdog();
    }
    abandon();
}

// When nobody puts it off any more.
void watchers::stop_watchdog() {
    arm(1);
    pthread_join(watchdog_, nullptr);
    watchdog_ = 0;
}

void watchers::abandon() {
    watchdog_ = 0;
    if (alarm_ >= 0) system_call(SYS_close, std::exchange(alarm_, -1));
}

// False: the application has closed it.
bool watchers::arm(std::int64_t in_ns) const {
    const itimerspec when{{}, {0, in_ns}};
    return system_call(SYS_timerfd_settime, alarm_, 0, word(&when), 0) == 0;
}

// The watchdog: until its next look, which the sentinel may put off. If the application has closed the alarm, the number may
// be that of anything by now, which is not waited for.
void watchers::wait_for_alarm(std::int64_t in_ns) {
    tick_ns_.store(in_ns, std::memory_order_relaxed);
    std::uint64_t count = 0;
    const timespec length{0, in_ns};
    const bool has_waited = arm(in_ns) && system_call(SYS_read, alarm_, word(&count), sizeof count) == sizeof count;
    if (!has_waited) system_call(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, word(&length), 0);
}

// The sentinel, which has seen that nothing is inside: as long as it gets to, nobody else has to look.
void watchers::put_off_watchdog(std::int64_t now) {
    const std::int64_t tick_ns = tick_ns_.load(std::memory_order_relaxed);
    if ((asleep_.load(std::memory_order_relaxed) & watchdog_bit) != 0 || now - put_off_ns_ < tick_ns / 4) return;
    put_off_ns_ = now;
    arm(tick_ns);
}

void watchers::wake() {
    called_on_.store(sched_getcpu(), std::memory_order_relaxed);
    asleep_.store(0);
    futex_wake_all(asleep_);
}

guest &watchers::look(unsigned who) {
    guest *one = current_.load();
    for (guest *before = nullptr; one != before;) {
        before = one;
        looked_at_[who - 1].store(before);
        one = current_.load();
    }
    return *one;
}

bool watchers::may_look_at(const guest &one) const {
    return current_.load() == &one || looked_at_[0].load() == &one || looked_at_[1].load() == &one;
}

// Until the next call; false: it has come meanwhile. The application looks at asleep_ after it has written its word, without
// a fence between; the barrier that it saves is ours. The sentinel saves it too: one call made on another CPU may fail to
// wake it, and is the watchdog's to find, which no call fails to wake.
bool watchers::sleep(unsigned who, const guest *last, std::uint64_t last_word) {
    asleep_.fetch_or(who);
    if (who == watchdog_bit) system_call(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0);
    const guest *now = &look(who);
    if (stopping_.load() || now != last || now->word.load() != last_word) {
        asleep_.fetch_and(~who);
        return false;
    }
    looked_at_[who - 1].store(nullptr);
    for (unsigned seen = asleep_.load(); (seen & who) != 0; seen = asleep_.load()) futex_wait(asleep_, seen);
    return true;
}

void watchers::move_to(int cpu) {
    if (cpu == cpu_ || cpu < 0 || cpu >= CPU_SETSIZE) return;
    unsigned long set[CPU_SETSIZE / 64] = {};
    set[cpu / 64] = 1UL << (cpu % 64);
    if (system_call(SYS_sched_setaffinity, 0, sizeof set, word(set)) >= 0) cpu_ = cpu;
}

void *watchers::run_sentinel(void *of) {
    prctl(PR_SET_NAME, "laio-sentinel");
    auto *me = static_cast<watchers *>(of);
    const sched_param none{};
    const long r = system_call(SYS_sched_setscheduler, 0, SCHED_IDLE, word(&none)); // a filter may kill it here
    me->refused_.store(static_cast<int>(r < 0 ? r : 0));
    member *membership = join_members(0, nullptr, me->of_->crew());
    me->stand_guard();
    if (membership != nullptr) leave_members(*membership);
    return nullptr;
}

// Whether it blocks in the call of that word, by the file that the claimant needs anyway, so that one is read for both. Takes
// four times as long to say no as blocks() does: for the sentinel where it has just been away, and so was not beside a loop
// that runs on another CPU. True: `status` says what was read.
bool watchers::blocks_as_status_says(const guest &one, std::uint64_t seen, thread_status &status) const {
    if (!of_->believes_status()) return false;
    const auto is_same = [&] { return one.word.load(std::memory_order_acquire) == seen; };
    // 'D' is also who waits for a page of its own, and has yet to enter the kernel.
    const bool shows_it = read_status(one.status_file, status) && of_->shows_blocked(status);
    if (shows_it && (status.state == 'S' ? is_same() : blocks(one, seen))) return true;
    status.state = '\0';
    return false;
}

// The sentinel, of a call that has not ended. Whether it has woken the spare.
bool watchers::examine(guest &one, std::uint64_t seen, bool was_away) {
    if (!of_->has_spare()) return false; // it is being claimed
    thread_status status{};
    if ((was_away && blocks_as_status_says(one, seen, status)) || blocks(one, seen)) {
        if (!of_->wake_spare(one, seen, status)) return false;
        by_sentinel_.fetch_add(1, std::memory_order_relaxed);
        return true;
    }
    if (one.word.load(std::memory_order_relaxed) == seen) move_to(cpu_of(one)); // it runs beside us
    return false;
}

void watchers::stand_guard() {
    started_.fetch_add(1);
    const guest *last = nullptr;
    std::uint64_t last_word = 0;
    std::int64_t since_ns = 0;
    std::int64_t stand_ns = stand_max_ns;
    bool stands = false;       // nothing has happened since the last look
    std::int64_t alone_ns = 0; // when it last had its CPU for itself
    while (!stopping_.load(std::memory_order_relaxed)) {
        looks_.store(looks_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        guest &one = look(sentinel_bit);
        const std::uint64_t seen = one.word.load(std::memory_order_acquire);
        const bool has_woken = is_inside(seen) && examine(one, seen, now_ns() - alone_ns > away_ns);
        const bool is_new = std::exchange(last, &one) != &one || last_word != seen;
        last_word = seen;
        const std::int64_t now = now_ns();
        alone_ns = has_woken ? 0 : now; // who is woken there runs at once
        if (is_new) {
            since_ns = now;
            if (stands) stand_ns = std::min(2 * stand_ns, stand_max_ns);
        }
        stands = !is_new;
        if (is_inside(seen) || now - since_ns < stand_ns) {
            if (!has_woken) system_call(SYS_sched_yield);
            continue;
        }
        put_off_watchdog(now);
        if (sleep(sentinel_bit, last, last_word)) move_to(called_on_.load(std::memory_order_relaxed));
        if (now_ns() - now < stand_max_ns) stand_ns = std::clamp(2 * stand_ns, stand_min_ns, stand_max_ns);
        else stand_ns = stand_ns < 2 * stand_min_ns ? 0 : stand_ns / 2;
        stands = false;
    }
}

void *watchers::run_watchdog(void *of) {
    prctl(PR_SET_NAME, "laio-watchdog");
    auto *me = static_cast<watchers *>(of);
    member *membership = join_members(0, nullptr, me->of_->crew());
    me->tick();
    if (membership != nullptr) leave_members(*membership);
    return nullptr;
}

void watchers::tick() {
    started_.fetch_add(1);
    const guest *last = nullptr;
    std::uint64_t last_word = 0;
    std::uint64_t last_looks = 0;
    std::int64_t tick_ns = tick_min_ns;
    std::int64_t same_ns = 0; // for how long nothing has happened
    while (!stopping_.load(std::memory_order_relaxed)) {
        guest &one = look(watchdog_bit);
        const std::uint64_t seen = one.word.load(std::memory_order_acquire);
        same_ns = std::exchange(last, &one) == &one && last_word == seen ? same_ns + tick_ns : 0;
        last_word = seen;
        const std::uint64_t looks = looks_.load(std::memory_order_relaxed);
        const bool sentinel_runs = std::exchange(last_looks, looks) != looks || (asleep_.load() & sentinel_bit) != 0;
        tick_ns = sentinel_runs ? std::min(2 * tick_ns, tick_max_ns) : tick_min_ns;
        // long: or its thread is in a handler that will not end before the application goes on: one that sends its signal
        // there again and again, since it does not find itself on the application's thread
        if (is_inside(seen) && (blocks(one, seen) || same_ns >= long_ns) && of_->wake_spare(one, seen, {})) {
            by_watchdog_.fetch_add(1, std::memory_order_relaxed);
            tick_ns = tick_min_ns;
        }
        if (same_ns >= idle_ns && !is_inside(seen)) {
            sleep(watchdog_bit, last, last_word);
            same_ns = 0;
            tick_ns = tick_min_ns;
            continue;
        }
        wait_for_alarm(tick_ns);
    }
}

} // namespace laio
