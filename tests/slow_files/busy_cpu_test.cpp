// Another process keeps the loop's CPU busy: a blocked call is still noticed long before it ends, by the watchdog, since the
// idle-class sentinel hardly runs there; and the loop ticks on as well as it can beside such a process.
//
// The calls wait for a lock that the test gives back after 100 ms, so a call that is not noticed would never end.
#include "harness.hpp"
#include "ticker.hpp"

#include <csignal>
#include <fcntl.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace laio::test {
namespace {

// This thread, and what it starts from now on, on one CPU.
class pinned {
public:
    pinned() {
        EXPECT_EQ(sched_getaffinity(0, sizeof before_, &before_), 0);
        cpu_set_t one;
        CPU_ZERO(&one);
        int cpu = 0;
        while (!CPU_ISSET(cpu, &before_)) ++cpu;
        CPU_SET(cpu, &one);
        EXPECT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    }
    ~pinned() { sched_setaffinity(0, sizeof before_, &before_); }
    pinned(const pinned &) = delete;
    pinned &operator=(const pinned &) = delete;

private:
    cpu_set_t before_{};
};

// A child that computes, on the CPU of the thread that makes it.
class hog {
public:
    hog() : pid_{fork()} {
        if (pid_ != 0) return;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(2 * deadline_s);
        for (;;) asm volatile("");
    }
    ~hog() {
        ::kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    hog(const hog &) = delete;
    hog &operator=(const hog &) = delete;

private:
    pid_t pid_;
};

class busy_cpu : public contract_test {
protected:
    void SetUp() override {
        contract_test::SetUp();
        if (IsSkipped()) return;
        restart_loop(options_of_set()); // its threads are made where it is pinned
    }

    // A lock is waited for from the first turn on, and given back after 100 ms.
    static gaps measure() {
        const directory files;
        const descriptor holder = files.file("a", "");
        const descriptor waiter{open(files.path("a").c_str(), O_RDWR | O_CLOEXEC)};
        EXPECT_EQ(flock(holder.get(), LOCK_EX), 0);
        ticker clock;
        gaps found{};
        found.alone_ns = clock.largest_gap_ns(slow_ms);
        call_record *call = nullptr;
        bool is_held = true;
        const std::int64_t end_ns = now_ns() + slow_ns;
        found.beside_ns = clock.largest_gap_ns([&] {
            if (call == nullptr) call = begin(SYS_flock, waiter.get(), LOCK_EX);
            if (is_held && now_ns() >= end_ns) {
                EXPECT_EQ(flock(holder.get(), LOCK_UN), 0);
                is_held = false;
            }
            return call->complete;
        });
        EXPECT_EQ(call->result, (outcome{0, 0}));
        found.blocked = call->is_direct() ? 0 : 1;
        return found;
    }

    // It only ends when it is noticed.
    static void wait_for_a_lock() {
        const directory files;
        const descriptor holder = files.file("a", "");
        const descriptor waiter{open(files.path("a").c_str(), O_RDWR | O_CLOEXEC)};
        EXPECT_EQ(flock(holder.get(), LOCK_EX), 0);
        call_record *call = begin(SYS_flock, waiter.get(), LOCK_EX);
        EXPECT_FALSE(call->is_direct());
        EXPECT_EQ(flock(holder.get(), LOCK_UN), 0);
        EXPECT_EQ(finish(call), (outcome{0, 0}));
    }

    pinned here_;
    hog other_;
};

TEST_P(busy_cpu, ticks_on_beside_a_blocked_call) {
    print_head();
    if (!expect_good("with a busy process", best_of(measure), 1) && !HasFailure())
        GTEST_SKIP() << "this machine is too busy to tell";
}

TEST_P(busy_cpu, blocked_calls_are_noticed) {
    constexpr unsigned count = 50;
    for (unsigned one = 0; one < count; ++one) wait_for_a_lock();
    const struct laio_stats stats = stats_now();
    if ((stats.engines & LAIO_ENGINE_ACTIVATIONS) == 0) GTEST_SKIP() << "no activations here: nobody is to notice";
    std::printf("%lu claims, seen by the sentinel %lu, by the watchdog %lu\n", stats.claims, stats.claims_by_sentinel,
                stats.claims_by_watchdog);
    EXPECT_GE(stats.claims, count);
    EXPECT_GT(stats.claims_by_watchdog, 0U);
}

LAIO_CONTRACT_SUITE(busy_cpu);

} // namespace
} // namespace laio::test
