#include "client/schedule.hpp"

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using replay::pace;
using replay::schedule;
using replay::schedule_options;
using replay::trace;

trace of(std::size_t sequences) {
    trace made;
    for (std::size_t i = 0; i < sequences; ++i) {
        made.add_request("/" + std::to_string(i));
        made.end_sequence();
    }
    return made;
}

TEST(schedule, plays_each_sequence_once_in_order) {
    const auto played = of(3);
    schedule plan(played, {});
    EXPECT_FALSE(plan.open_loop());
    EXPECT_EQ(plan.sequences(), 3U);
    for (replay::path_index i = 0; i < 3; ++i) {
        ASSERT_FALSE(plan.over());
        EXPECT_EQ(plan.due(), 0ns);
        EXPECT_EQ(plan.take().requests[0], i);
    }
    EXPECT_TRUE(plan.over());
}

TEST(schedule, repeats) {
    const auto played = of(2);
    schedule plan(played, {.rounds = 3});
    int taken = 0;
    for (; !plan.over(); ++taken) EXPECT_EQ(plan.take().requests[0], static_cast<replay::path_index>(taken % 2));
    EXPECT_EQ(taken, 6);
    schedule endless(played, {.rounds = 0});
    for (int i = 0; i < 1000; ++i) endless.take();
    EXPECT_FALSE(endless.over());
    EXPECT_EQ(endless.sequences(), 0U);
}

TEST(schedule, even_starts_add_up_no_error) {
    const auto played = of(7);
    schedule plan(played, {.kind = pace::even, .per_second = 3, .rounds = 0});
    EXPECT_TRUE(plan.open_loop());
    for (int i = 0; i < 3'000'000; ++i) {
        ASSERT_NEAR(static_cast<double>(plan.due().count()), i / 3.0 * 1e9, 1000);
        plan.take();
    }
}

TEST(schedule, poisson_starts_have_the_rate_and_its_spread_and_repeat_by_seed) {
    const auto played = of(1);
    const schedule_options options{.kind = pace::poisson, .per_second = 1000, .rounds = 0, .seed = 5};
    schedule plan(played, options), again(played, options);
    constexpr int starts = 100'000;
    int long_gaps = 0;
    auto last = 0ns;
    for (int i = 0; i < starts; ++i) {
        EXPECT_EQ(plan.due(), again.due());
        EXPECT_GE(plan.due(), last);
        if (plan.due() - last > 1ms) ++long_gaps;
        last = plan.due();
        plan.take();
        again.take();
    }
    EXPECT_NEAR(static_cast<double>(last.count()), starts * 1e6, starts * 1e6 * 0.02);
    EXPECT_NEAR(long_gaps, starts * 0.3679, starts * 0.01); // 1/e of the gaps are longer than the mean
}

TEST(schedule, follows_the_times_of_the_trace) {
    trace played;
    for (const auto start : {1s, 3s, 2s}) {
        played.add_request("/");
        played.end_sequence(start);
    }
    schedule plan(played, {.kind = pace::as_traced, .speed = 2});
    EXPECT_EQ(plan.due(), 500ms);
    plan.take();
    EXPECT_EQ(plan.due(), 1500ms);
    plan.take();
    EXPECT_EQ(plan.due(), 1500ms); // out of order: with the one before it
    plan.take();
    EXPECT_TRUE(plan.over());
}

TEST(schedule, absurd_rates_and_times_do_not_overflow) {
    trace played;
    played.add_request("/");
    played.end_sequence(9'000'000'000s);
    for (const auto kind : {pace::even, pace::poisson, pace::as_traced}) {
        schedule plan(played, {.kind = kind, .per_second = 1e-300, .speed = 1e-6, .rounds = 0});
        auto last = 0ns;
        for (int i = 0; i < 10; ++i) {
            plan.take();
            EXPECT_GE(plan.due(), last);
            EXPECT_GT(plan.due() + plan.due(), 0ns);
            last = plan.due();
        }
    }
    const auto two = of(2);
    EXPECT_EQ(schedule(two, {.rounds = UINT64_MAX}).sequences(), 0U);
}

} // namespace
