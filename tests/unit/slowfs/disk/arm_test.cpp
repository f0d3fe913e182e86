// The mechanics of the arm, against formulae.
#include "disk/arm.hpp"

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using slowfs::arm;
using slowfs::arm_parameters;
using slowfs::nanoseconds;
using slowfs::place;

constexpr std::uint64_t gigabyte = 1'000'000'000;

// A revolution takes 10 ms, in which 1 MB passes.
constexpr arm_parameters simple{.span_bytes = gigabyte,
                                .seek_min = 1ms,
                                .seek_max = 17ms,
                                .seek_exponent = 0.5,
                                .rpm = 6000,
                                .rate = 100'000'000,
                                .ahead_bytes = 0};

TEST(arm, seeks_by_the_root_of_the_distance) {
    arm_parameters parameters = simple;
    parameters.rpm = 0;
    const arm still(parameters);
    EXPECT_EQ(still.positioning({gigabyte, 1}, 0ns), 17ms);
    EXPECT_EQ(still.positioning({gigabyte / 4, 1}, 0ns), 9ms);
    EXPECT_EQ(still.positioning({gigabyte / 16, 1}, 0ns), 5ms);
    EXPECT_EQ(still.positioning({9 * gigabyte, 1}, 0ns), 17ms) << "beyond the span there is no longer way";
    parameters.seek_exponent = 1;
    EXPECT_EQ(arm(parameters).positioning({gigabyte / 4, 1}, 0ns), 5ms);
}

TEST(arm, waits_until_the_place_comes_by) {
    const arm turning(simple);
    // On its own track: no seek. At time 0 address 0 is under the head.
    EXPECT_EQ(turning.positioning({500'000, 1}, 0ms), 5ms);
    EXPECT_EQ(turning.positioning({500'000, 1}, 3ms), 2ms);
    EXPECT_EQ(turning.positioning({500'000, 1}, 6ms), 9ms);
    EXPECT_EQ(turning.positioning({500'000, 1}, 1000006ms), 9ms) << "a hundred thousand revolutions later";
}

TEST(arm, takes_seek_and_rotation_and_transfer) {
    arm one(simple);
    // 9 ms of seek; the place of 250,000,000 is at angle 0, which comes by at 10 ms.
    EXPECT_EQ(one.serve({gigabyte / 4, 100'000}, 0ns), 11ms);
    EXPECT_EQ(one.position(), gigabyte / 4 + 100'000);
    EXPECT_EQ(one.activity().seeks, 1U);
    EXPECT_EQ(one.activity().seek_bytes, 0.25e9);
    EXPECT_EQ(one.activity().seeking, 9ms);
    EXPECT_EQ(one.activity().rotating, 1ms);
    // Back to what has just passed: a revolution, but for what passed since.
    EXPECT_EQ(one.positioning({gigabyte / 4, 1}, 11ms), 9ms);
}

TEST(arm, goes_on_where_it_is_without_waiting) {
    arm one(simple);
    nanoseconds now = one.serve({gigabyte / 4, 100'000}, 0ns);
    for (std::uint64_t i = 1; i < 1000; ++i) {
        const auto took = one.serve({gigabyte / 4 + i * 100'000, 100'000}, now);
        ASSERT_EQ(took, 1ms) << i;
        now += took;
    }
    EXPECT_EQ(one.activity().seeks, 1U);
    EXPECT_EQ(one.activity().ahead_hits, 999U);
}

TEST(arm, misses_a_revolution_if_it_is_asked_late_and_reads_not_ahead) {
    arm one(simple);
    const auto first = one.serve({0, 100'000}, 0ns);
    EXPECT_EQ(one.serve({100'000, 100'000}, first + 1ms), 10ms);
}

TEST(arm, reads_ahead_while_nobody_asks) {
    arm_parameters parameters = simple;
    parameters.ahead_bytes = 300'000;
    arm one(parameters);
    const auto first = one.serve({0, 100'000}, 0ns);
    ASSERT_EQ(first, 1ms);
    EXPECT_EQ(one.positioning({100'000, 1}, first), 0ns);
    EXPECT_EQ(one.positioning({200'000, 1}, first + 1ms), 0ns) << "it has just passed";
    EXPECT_EQ(one.positioning({200'000, 1}, first), 1ms) << "it will pass";
    // Of these 100,000 bytes 50,000 have passed; then 100,000 more are asked for late.
    EXPECT_EQ(one.serve({100'000, 100'000}, first + 500us), 500us);
    // 300,000 bytes are kept, and no more: for the rest it waits until it comes by.
    EXPECT_EQ(one.positioning({300'000, 200'000}, 10s), 0ns);
    EXPECT_EQ(one.positioning({300'000, 300'000}, 10s), 5ms);
    EXPECT_EQ(one.serve({200'000, 400'000}, 10s), 5ms + 1ms);
    EXPECT_EQ(one.position(), 600'000U);
}

} // namespace
