#include "client/cpu_history.hpp"

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using replay::cpu_history;

// Seconds in which the thread used so much of its CPU, and others nothing; read when that is wanted, and at the end.
cpu_history of(const std::vector<double> &shares) {
    cpu_history made;
    auto own = 0ns;
    double idle = 0;
    const auto ticks_a_step = 1.0;
    auto at = 0ns;
    const auto read = [&] { made.add({.at = at, .own = own, .cpu = {{idle, static_cast<double>(at / 10ms)}}}); };
    for (const double share : shares) {
        for (int step = 0; step < 100; ++step, at += 10ms) {
            if (at >= made.next()) read();
            own += std::chrono::nanoseconds(static_cast<std::int64_t>(share * 1e7));
            idle += ticks_a_step * (1 - share);
        }
    }
    read();
    return made;
}

TEST(cpu_history, edges_do_not_hide_a_busy_middle) {
    const auto seen = of({0, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0});
    const auto middle = seen.middle(80);
    EXPECT_NEAR(middle.own, 0.9, 0.01);
    ASSERT_TRUE(middle.cpu_idle);
    EXPECT_NEAR(*middle.cpu_idle, 0.1, 0.01);
    EXPECT_TRUE(middle.client_bound());
    EXPECT_NEAR(seen.middle(100).own, 0.72, 0.01);
    EXPECT_FALSE(seen.middle(100).client_bound());
}

TEST(cpu_history, long_runs_are_judged_alike) {
    std::vector<double> shares(1000, 0.9);
    std::fill_n(shares.begin(), 95, 0.0);
    std::fill_n(shares.rbegin(), 95, 0.0);
    const auto seen = of(shares);
    EXPECT_NEAR(seen.middle(80).own, 0.9, 0.01);
    EXPECT_GE(seen.next() - 1000s, 1s); // and are not read ten times a second for ever
}

TEST(cpu_history, a_run_without_time_used_nothing) {
    cpu_history seen;
    seen.add({});
    seen.add({});
    EXPECT_EQ(seen.middle(80).own, 0);
    EXPECT_FALSE(seen.middle(80).cpu_idle);
}

} // namespace
