// nanosleep and clock_nanosleep: what is over is done, the rest becomes a deadline or a timer; no test waits for a clock.
#include "unit/calls/files.hpp"
#include "unit/calls/trial.hpp"

#include "kernel/clock.hpp"

#include <sys/timerfd.h>
#include <time.h>

namespace {

using namespace laio::test; // NOLINT(google-build-using-namespace)
using laio::blocked;
using laio::done;
using laio::now_ns;
using laio::surroundings;
using laio::until;

constexpr std::int64_t second_ns = 1'000'000'000;

timespec after(clockid_t clock, long seconds) {
    timespec time{};
    clock_gettime(clock, &time);
    time.tv_sec += seconds;
    return time;
}

class sleeping : public testing::Test {
protected:
    surroundings world = make_world();
    timespec left{77, 88};
};

TEST_F(sleeping, for_a_while_is_a_deadline) {
    const timespec hour{3600, 5};
    for (const long number : {SYS_nanosleep, SYS_clock_nanosleep}) {
        trial tried = number == SYS_nanosleep ? trial{world, number, &hour, &left}
                                              : trial{world, number, CLOCK_MONOTONIC, 0, &hour, &left};
        const std::int64_t before = now_ns();
        EXPECT_EQ(tried.attempt(), blocked(until::time));
        EXPECT_GE(tried.op().deadline_ns, before + 3600 * second_ns + 5);
        EXPECT_LE(tried.op().deadline_ns, now_ns() + 3600 * second_ns + 5);
    }
    EXPECT_EQ(left.tv_sec, 77) << "only a signal writes it";
    EXPECT_EQ(attempt_of(world, SYS_clock_nanosleep, CLOCK_REALTIME, 0, &hour, nullptr), blocked(until::time));
}

TEST_F(sleeping, until_a_time_is_a_deadline) {
    const timespec hour = after(CLOCK_MONOTONIC, 3600);
    trial tried{world, SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &hour, nullptr};
    EXPECT_EQ(tried.attempt(), blocked(until::time));
    EXPECT_EQ(tried.op().deadline_ns, hour.tv_sec * second_ns + hour.tv_nsec);
}

TEST_F(sleeping, for_ever_is_no_overflow) {
    const timespec ever{std::numeric_limits<time_t>::max(), 999'999'999};
    trial tried{world, SYS_nanosleep, &ever, nullptr};
    EXPECT_EQ(tried.attempt(), blocked(until::time));
    EXPECT_GT(tried.op().deadline_ns, now_ns() + 1'000'000 * second_ns);
    trial absolute{world, SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &ever, nullptr};
    EXPECT_EQ(absolute.attempt(), blocked(until::time));
    EXPECT_GT(absolute.op().deadline_ns, now_ns() + 1'000'000 * second_ns);
}

TEST_F(sleeping, for_no_time_or_until_a_time_that_is_over_is_done) {
    const timespec none{};
    EXPECT_EQ(attempt_of(world, SYS_nanosleep, &none, &left), done(0));
    for (const clockid_t clock : {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME}) {
        SCOPED_TRACE(clock);
        const timespec past = after(clock, -1);
        const timespec first{0, 1};
        EXPECT_EQ(attempt_of(world, SYS_clock_nanosleep, clock, TIMER_ABSTIME, &past, nullptr), done(0));
        EXPECT_EQ(attempt_of(world, SYS_clock_nanosleep, clock, TIMER_ABSTIME, &none, nullptr), done(0));
        EXPECT_EQ(attempt_of(world, SYS_clock_nanosleep, clock, TIMER_ABSTIME, &first, nullptr), done(0));
    }
}

// That clock may be set, which a deadline would not notice.
TEST_F(sleeping, until_a_time_of_day_waits_on_a_timer) {
    for (const clockid_t clock : {CLOCK_REALTIME, CLOCK_BOOTTIME}) {
        const timespec hour = after(clock, 3600);
        int number = -1;
        {
            trial tried{world, SYS_clock_nanosleep, clock, TIMER_ABSTIME, &hour, nullptr};
            EXPECT_EQ(tried.attempt(), blocked(until::readable));
            number = tried.op().own_descriptor;
            EXPECT_EQ(tried.op().descriptor, number);
            itimerspec set{};
            ASSERT_EQ(timerfd_gettime(number, &set), 0);
            EXPECT_GT(set.it_value.tv_sec, 3500);
            EXPECT_LE(set.it_value.tv_sec, 3600);
            EXPECT_FALSE(has_something(number));
        }
        EXPECT_LT(fcntl(number, F_GETFD), 0) << "the timer is the call's own";
    }
    timespec soon = after(CLOCK_REALTIME, 0);
    soon.tv_nsec += 20'000'000;
    if (soon.tv_nsec >= second_ns) soon = {soon.tv_sec + 1, soon.tv_nsec - second_ns};
    EXPECT_EQ(trial(world, SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, &soon, nullptr).finish(), 0);
    EXPECT_GE(now_ns(CLOCK_REALTIME), soon.tv_sec * second_ns + soon.tv_nsec) << "too early";
}

TEST_F(sleeping, by_other_clocks_is_a_carrier_s) {
    const timespec hour{3600, 0};
    EXPECT_EQ(attempt_of(world, SYS_clock_nanosleep, CLOCK_PROCESS_CPUTIME_ID, 0, &hour, nullptr),
              blocked(until::carrier));
    EXPECT_EQ(attempt_of(world, SYS_clock_nanosleep, CLOCK_TAI, 0, &hour, nullptr), blocked(until::carrier));
    EXPECT_EQ(attempt_of(world, SYS_clock_nanosleep, CLOCK_BOOTTIME, 0, &hour, nullptr), blocked(until::carrier));
    EXPECT_EQ(trial(world, SYS_clock_nanosleep, 12345, 0, &hour, nullptr).finish(),
              plain(SYS_clock_nanosleep, 12345, 0, &hour, nullptr));
    world.waits_in_epoll = false; // nor has the loop a way to wait for it
    EXPECT_EQ(attempt_of(world, SYS_nanosleep, &hour, nullptr), blocked(until::carrier));
}

TEST_F(sleeping, in_a_wrong_way_is_like_the_plain_call) {
    const fence memory;
    const timespec wrong[] = {{-1, 0}, {0, -1}, {0, second_ns}, {1, LONG_MAX}, {LONG_MIN, 0}};
    for (const timespec &time : wrong) {
        EXPECT_EQ(attempt_of(world, SYS_nanosleep, &time, nullptr), done(-EINVAL));
        for (const clockid_t clock : {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME})
            for (const int flags : {0, TIMER_ABSTIME})
                EXPECT_EQ(attempt_of(world, SYS_clock_nanosleep, clock, flags, &time, nullptr), done(-EINVAL));
    }
    for (void *bad :
         {static_cast<void *>(memory.beyond()), static_cast<void *>(memory.last(8)), static_cast<void *>(nullptr)}) {
        EXPECT_EQ(attempt_of(world, SYS_nanosleep, bad, nullptr), done(-EFAULT));
        EXPECT_EQ(attempt_of(world, SYS_clock_nanosleep, CLOCK_REALTIME, 0, bad, nullptr), done(-EFAULT));
    }
}

} // namespace
