// The clock: which one it is, its unit, and that it never goes back.
#include "kernel/clock.hpp"

#include <gtest/gtest.h>

namespace {

using laio::now_ns;

std::int64_t read_ns(clockid_t clock) {
    timespec time{};
    EXPECT_EQ(clock_gettime(clock, &time), 0);
    return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

void expect_to_be(clockid_t clock, std::int64_t (*reading)()) {
    const std::int64_t before = read_ns(clock);
    const std::int64_t ours = reading();
    const std::int64_t after = read_ns(clock);
    EXPECT_LE(before, ours);
    EXPECT_LE(ours, after);
}

TEST(now, is_the_monotonic_clock_in_nanoseconds) {
    expect_to_be(CLOCK_MONOTONIC, [] { return now_ns(); });
}

TEST(now, is_another_clock_if_asked) {
    expect_to_be(CLOCK_THREAD_CPUTIME_ID, [] { return now_ns(CLOCK_THREAD_CPUTIME_ID); });
    expect_to_be(CLOCK_BOOTTIME, [] { return now_ns(CLOCK_BOOTTIME); });
    EXPECT_GT(now_ns(CLOCK_REALTIME), 1'000'000'000LL * 86'400 * 365) << "it is later than 1971";
}

TEST(now, never_goes_back) {
    const std::int64_t first = now_ns();
    std::int64_t last = first;
    for (int i = 0; i < 100'000; ++i) {
        const std::int64_t next = now_ns();
        ASSERT_GE(next, last);
        last = next;
    }
    EXPECT_GT(last, first);
}

} // namespace
