#include "report/timeline.hpp"

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using replay::timeline;

TEST(timeline, tells_what_came_between_two_times) {
    timeline seen;
    for (int ms = 0; ms < 1000; ++ms) seen.add(std::chrono::milliseconds(ms), 1, 10);
    const auto middle = seen.between(100ms, 900ms);
    EXPECT_DOUBLE_EQ(middle.requests, 800);
    EXPECT_DOUBLE_EQ(middle.bytes, 8000);
    EXPECT_DOUBLE_EQ(seen.between(0ms, 10s).requests, 1000);
    EXPECT_DOUBLE_EQ(seen.between(2s, 3s).requests, 0);
}

TEST(timeline, divides_a_slot_by_time) {
    timeline seen;
    seen.add(0ms, 100, 0);
    EXPECT_DOUBLE_EQ(seen.between(250us, 500us).requests, 25);
}

// Six hours, with ten times as much in the middle hour.
TEST(timeline, loses_nothing_when_a_run_grows_long) {
    timeline seen;
    double all = 0;
    for (int s = 0; s < 6 * 3600; ++s) {
        const std::uint64_t requests = s / 3600 == 3 ? 10 : 1;
        seen.add(std::chrono::seconds(s), requests, 2 * requests);
        all += static_cast<double>(requests);
    }
    EXPECT_DOUBLE_EQ(seen.between(0s, 7h).requests, all);
    EXPECT_DOUBLE_EQ(seen.between(0s, 7h).bytes, 2 * all);
    EXPECT_NEAR(seen.between(3h, 4h).requests, 36000, 100);
    EXPECT_NEAR(seen.between(0h, 3h).requests, 3 * 3600, 100);
}

TEST(timeline, takes_a_time_before_the_start_for_the_start) {
    timeline seen;
    seen.add(-1s, 1, 1);
    EXPECT_DOUBLE_EQ(seen.between(0ms, 1ms).requests, 1);
}

} // namespace
