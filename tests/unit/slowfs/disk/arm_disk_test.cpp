// The disk with one arm against closed forms, and its disciplines against one another. Virtual time: nothing waits.
#include "disk/arm_disk.hpp"

#include "closed_loop.hpp"

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using slowfs::arm_disk;
using slowfs::arm_parameters;
using slowfs::discipline;
using slowfs::test::outcome;
using slowfs::test::random_places;
using slowfs::test::run_closed_loop;

constexpr std::uint64_t span_bytes = 500'000'000'000;
constexpr std::uint32_t block_bytes = 65536;
constexpr double rotation_s = 60.0 / 7200;

arm_parameters parameters_with(double exponent) {
    arm_parameters parameters;
    parameters.span_bytes = span_bytes;
    parameters.seek_exponent = exponent;
    return parameters;
}

// The mean of the distance to the power p, of two places anywhere on a line of length 1, is 2 / ((p + 1) (p + 2)).
double mean_access_s(const arm_parameters &of) {
    const auto seconds = [](auto time) { return std::chrono::duration<double>(time).count(); };
    const double p = of.seek_exponent;
    return seconds(of.seek_min) + seconds(of.seek_max - of.seek_min) * 2 / ((p + 1) * (p + 2)) + rotation_s / 2 +
           static_cast<double>(block_bytes) / static_cast<double>(of.rate);
}

TEST(arm_disk, reads_at_random_take_seek_and_half_a_turn_and_transfer) {
    for (const double exponent : {0.5, 1.0}) {
        const auto parameters = parameters_with(exponent);
        for (const auto order : {discipline::fifo, discipline::c_look, discipline::ncq}) {
            arm_disk one(parameters, order);
            const auto seen = run_closed_loop(one, 1, 20'000, random_places(span_bytes, block_bytes));
            const double expected_s = mean_access_s(parameters);
            EXPECT_NEAR(seen.mean_latency_s, expected_s, 0.01 * expected_s);
            EXPECT_NEAR(seen.per_second(), 1 / expected_s, 0.01 / expected_s);
        }
    }
}

TEST(arm_disk, in_order_of_coming_the_wait_is_as_deep_as_the_queue) {
    const auto parameters = parameters_with(0.5);
    arm_disk one(parameters, discipline::fifo);
    const auto seen = run_closed_loop(one, 16, 20'000, random_places(span_bytes, block_bytes));
    EXPECT_NEAR(seen.mean_latency_s, 16 * mean_access_s(parameters), 0.16 * mean_access_s(parameters));
    const auto counted = one.activity(std::chrono::nanoseconds::max());
    EXPECT_NEAR(counted.seek_bytes / static_cast<double>(counted.seeks), span_bytes / 3.0, 0.02 * span_bytes);
}

TEST(arm_disk, one_after_another_is_as_fast_as_the_transfer) {
    for (const std::size_t deep : {1U, 8U}) {
        arm_disk one(parameters_with(0.5), discipline::ncq);
        std::uint64_t address = 0;
        const auto seen = run_closed_loop(one, deep, 10'000, [&address] {
            address += block_bytes;
            return slowfs::place{address, block_bytes};
        });
        EXPECT_NEAR(seen.per_second() * block_bytes, 150e6, 0.01 * 150e6);
    }
}

// With q of them waiting, the way to the next is 1/(2q) of the span: those waiting stand the denser, the longer the arm has
// not been there, so they are twice as dense before it as in the mean. Once in 2q comes the way back.
TEST(arm_disk, one_way_its_ways_get_shorter_with_the_queue) {
    for (const double deep : {16.0, 64.0, 256.0}) {
        arm_disk one(parameters_with(0.5), discipline::c_look);
        run_closed_loop(one, static_cast<std::size_t>(deep), 50'000, random_places(span_bytes, block_bytes));
        const auto counted = one.activity(std::chrono::nanoseconds::max());
        EXPECT_NEAR(counted.seek_bytes / static_cast<double>(counted.accesses), span_bytes / deep,
                    0.1 * span_bytes / deep);
    }
}

outcome run(discipline order, std::size_t deep) {
    arm_disk one(parameters_with(0.5), order);
    return run_closed_loop(one, deep, 10'000, random_places(span_bytes, block_bytes));
}

TEST(arm_disk, disciplines_differ_as_they_should) {
    const double alone = run(discipline::ncq, 1).per_second();
    for (const auto order : {discipline::c_look, discipline::ncq}) {
        double before = alone;
        for (const std::size_t deep : {4U, 16U, 32U}) {
            const double rate = run(order, deep).per_second();
            EXPECT_GT(rate, 1.1 * before) << deep;
            before = rate;
        }
    }
    EXPECT_NEAR(run(discipline::fifo, 32).per_second(), alone, 0.02 * alone);
    EXPECT_GT(run(discipline::ncq, 32).per_second(), 1.2 * run(discipline::c_look, 32).per_second());
    // It chooses among 32, however many there are.
    EXPECT_NEAR(run(discipline::ncq, 256).per_second(), run(discipline::ncq, 32).per_second(), 2);
}

TEST(arm_disk, chooses_among_those_that_had_come_by_then) {
    arm_disk one(parameters_with(0.5), discipline::c_look);
    one.submit({span_bytes / 2, block_bytes}, 1, 0ms);
    one.submit({span_bytes / 2 + 50UL * block_bytes, block_bytes}, 2, 0ms);
    // Comes when the first has long been served, but is told of before anybody has looked.
    one.submit({span_bytes / 2 + block_bytes, block_bytes}, 3, 1s);
    EXPECT_EQ(one.take_finished(10s)->ticket, 1U);
    EXPECT_EQ(one.take_finished(10s)->ticket, 2U);
    const auto last = one.take_finished(10s);
    EXPECT_EQ(last->ticket, 3U);
    EXPECT_GT(last->at, 1s);
    EXPECT_FALSE(one.take_finished(10s));
    EXPECT_FALSE(one.next_finish());
}

TEST(arm_disk, is_busy_as_long_as_it_serves) {
    arm_disk one(parameters_with(0.5), discipline::fifo);
    one.submit({span_bytes / 2, block_bytes}, 1, 1s);
    const auto end = *one.next_finish();
    EXPECT_EQ(one.activity(1s).busy.at(0), 0ns);
    EXPECT_EQ(one.activity(1s + 1ms).busy.at(0), 1ms);
    EXPECT_EQ(one.activity(end).busy.at(0), end - 1s);
    one.take_finished(end);
    EXPECT_EQ(one.activity(end + 1s).busy.at(0), end - 1s);
}

TEST(arm_disk, does_the_same_again) {
    for (const auto order : {discipline::fifo, discipline::c_look, discipline::ncq}) {
        EXPECT_EQ(run(order, 20).seconds, run(order, 20).seconds);
        EXPECT_EQ(run(order, 20).mean_latency_s, run(order, 20).mean_latency_s);
    }
}

} // namespace
