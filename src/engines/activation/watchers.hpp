// Who notices that a call blocks.
//
// The sentinel is a SCHED_IDLE thread on the loop's CPU, so it runs when nothing else there does: if a call is inside the
// kernel then, it blocks, or the loop runs on another CPU, where the sentinel follows. Where another task keeps the CPU
// busy, the watchdog looks instead, every 1.5 to 6 ms, unless the sentinel, which gets to run, puts that off. Both believe
// only what /proc/self/task/TID says, which is "running" of a call that does not block. Both sleep when no call has been
// made for a while, and are woken by the next one; only the watchdog is never asleep while a call may be inside. They take
// no lock, allocate nothing and run on raw system calls. The sentinel yields and never spins: SCHED_IDLE is a weight, not a
// strict priority. Lost: see docs/decisions/0020 and 0023.
#pragma once

#include "engines/activation/guest.hpp"

#include <atomic>
#include <cstdint>
#include <pthread.h>

namespace laio {

class watchers {
public:
    int open(activation &of); // 0 or a negative errno
    void close();
    void abandon();

    // From now on `one` carries the application, and is the one to be watched.
    void watch(guest &one) { current_.store(&one, std::memory_order_release); }
    // A watcher looks at it, or may yet: what it looks at has to stay. Once it does not, it does not until the next watch().
    [[nodiscard]] bool may_look_at(const guest &one) const;

    // Not zero: somebody sleeps, and has to be woken by the next call: after that has moved its word to `inside`.
    [[nodiscard]] const std::atomic<unsigned> *asleep() const { return &asleep_; }
    void wake();

    [[nodiscard]] std::uint64_t seen_by_sentinel() const { return by_sentinel_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t seen_by_watchdog() const { return by_watchdog_.load(std::memory_order_relaxed); }

private:
    static void *run_sentinel(void *of);
    static void *run_watchdog(void *of);
    void stop_watchdog();
    int lose_sentinel();
    void put_off_watchdog(std::int64_t now);
    bool arm(std::int64_t in_ns) const;
    void wait_for_alarm(std::int64_t in_ns);
    void stand_guard();
    void tick();
    guest &look(unsigned who);
    bool sleep(unsigned who, const guest *last, std::uint64_t last_word);
    bool blocks_as_status_says(const guest &one, std::uint64_t seen, thread_status &status) const;
    bool examine(guest &one, std::uint64_t seen, bool was_away);
    void move_to(int cpu);

    activation *of_ = nullptr;
    std::atomic<guest *> current_{nullptr};     // who carries the application
    std::atomic<const guest *> looked_at_[2]{}; // by each watcher
    std::atomic<unsigned> asleep_{0};           // a bit each; a futex
    std::atomic<bool> stopping_{false};
    std::atomic<int> refused_{0};
    std::atomic<int> started_{0};
    pthread_t sentinel_{};
    pthread_t watchdog_{};
    int cpu_ = -1;                        // the sentinel's
    std::atomic<int> called_on_{-1};      // the CPU that the latest to wake them was on
    std::atomic<std::uint64_t> looks_{0}; // by the sentinel
    int alarm_ = -1;                      // a timerfd: the watchdog's next look
    std::atomic<std::int64_t> tick_ns_{0};
    std::int64_t put_off_ns_ = 0; // when the sentinel did so last
    std::atomic<std::uint64_t> by_sentinel_{0};
    std::atomic<std::uint64_t> by_watchdog_{0};
};

} // namespace laio
