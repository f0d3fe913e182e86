// What requests wait for: accesses one after another, delays beside the disk.
#include "timetable.hpp"

#include "disk/arm_disk.hpp"
#include "disk/flash_disk.hpp"
#include "disk/no_disk.hpp"

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using slowfs::answer;
using slowfs::cost;
using slowfs::timetable;
using slowfs::work;

// Each access takes 1 ms, two at once.
constexpr slowfs::flash_parameters two_channels{
    .channels = 2, .latency = 1ms, .deviation = 0, .rate = 1'000'000'000'000};

work costing(cost price) { return {price, {{{0, 1}, {0, 1}}}, {0, 1}}; }

void expect(const std::optional<answer> &found, std::uint32_t ticket, std::chrono::nanoseconds due) {
    ASSERT_TRUE(found);
    EXPECT_EQ(found->ticket, ticket);
    EXPECT_EQ(found->due, due);
}

TEST(timetable, delays_do_not_wait_for_one_another) {
    slowfs::no_disk none;
    timetable all(none);
    all.begin(1, costing({0, 20ms}), 0ms);
    all.begin(2, costing({0, 5ms}), 1ms);
    all.begin(3, costing({0, 20ms}), 2ms);
    EXPECT_EQ(all.next_event(), 6ms);
    EXPECT_FALSE(all.take_due(5ms));
    expect(all.take_due(30ms), 2, 6ms);
    expect(all.take_due(30ms), 1, 20ms);
    expect(all.take_due(30ms), 3, 22ms);
    EXPECT_FALSE(all.take_due(30ms));
    EXPECT_FALSE(all.next_event());
}

TEST(timetable, what_is_free_is_due_at_once) {
    slowfs::flash_disk flash(two_channels);
    timetable all(flash);
    all.begin(1, costing({1, {}}), 3ms);
    all.begin(2, costing({}), 3ms);
    expect(all.take_due(3ms), 2, 3ms);
    EXPECT_FALSE(all.take_due(3ms));
    slowfs::no_disk none;
    timetable free(none);
    free.begin(7, costing({3, {}}), 1ms);
    expect(free.take_due(1ms), 7, 1ms);
}

TEST(timetable, accesses_of_a_request_come_one_after_another_however_late_somebody_looks) {
    slowfs::flash_disk flash(two_channels);
    timetable all(flash);
    all.begin(1, costing({5, {}}), 0ms);
    all.begin(2, costing({1, {}}), 0ms);
    expect(all.take_due(1s), 2, 1ms);
    expect(all.take_due(1s), 1, 5ms);
    EXPECT_EQ(flash.activity(1s).accesses, 6U);
}

TEST(timetable, the_last_access_is_to_the_last_place) {
    slowfs::arm_parameters parameters;
    parameters.rpm = 0;
    parameters.rate = 1'000'000;
    slowfs::arm_disk one(parameters, slowfs::discipline::fifo);
    timetable all(one);
    // The transfers tell which ones they were: 1, 20 and 300 ms.
    all.begin(1, {{3, {}}, {{{0, 1000}, {0, 20'000}}}, {0, 300'000}}, 0ms);
    EXPECT_EQ(all.next_event(), 1ms);
    EXPECT_FALSE(all.take_due(1ms));
    EXPECT_GE(all.next_event(), 21ms);
    EXPECT_FALSE(all.take_due(30ms));
    EXPECT_GE(all.next_event(), 321ms);
    EXPECT_TRUE(all.take_due(400ms));
}

TEST(timetable, counts_how_deep_it_is) {
    slowfs::flash_disk flash(two_channels);
    timetable all(flash);
    for (std::uint32_t i = 0; i < 4; ++i) all.begin(i, costing({1, {}}), 0ms);
    all.begin(4, costing({0, 10ms}), 0ms);
    while (all.take_due(10ms)) {}
    EXPECT_EQ(all.accesses().most(), 4U);
    EXPECT_EQ(all.accesses().now(), 0U);
    EXPECT_NEAR(all.accesses().integral_s(10ms), 0.006, 1e-9); // 4 for 1 ms, 2 for another
    EXPECT_EQ(all.requests().most(), 5U);
    EXPECT_NEAR(all.requests().integral_s(10ms), 0.016, 1e-9);
}

} // namespace
