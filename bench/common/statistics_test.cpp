// Tests of statistics.hpp.
#include "statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace laio::bench {
namespace {

TEST(statistics, median_of_odd_and_even_counts) {
    EXPECT_DOUBLE_EQ(percentile({5, 1, 3}, 0.5), 3);
    EXPECT_DOUBLE_EQ(percentile({4, 1, 3, 2}, 0.5), 2.5);
    EXPECT_DOUBLE_EQ(percentile({7}, 0.5), 7);
}

TEST(statistics, percentiles_interpolate_and_reach_the_ends) {
    const std::vector<double> values{0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100};
    EXPECT_DOUBLE_EQ(percentile(values, 0.0), 0);
    EXPECT_DOUBLE_EQ(percentile(values, 0.1), 10);
    EXPECT_DOUBLE_EQ(percentile(values, 0.25), 25);
    EXPECT_DOUBLE_EQ(percentile(values, 1.0), 100);
    EXPECT_DOUBLE_EQ(percentile(values, 7.0), 100);
}

TEST(statistics, nothing_gives_nan) {
    EXPECT_TRUE(std::isnan(percentile({}, 0.5)));
    EXPECT_TRUE(std::isnan(summarise({}).median));
}

TEST(statistics, one_outlier_does_not_move_the_summary) {
    std::vector<double> values(21, 100.0);
    values[3] = 1e9;
    const spread result = summarise(values);
    EXPECT_DOUBLE_EQ(result.median, 100);
    EXPECT_DOUBLE_EQ(result.p10, 100);
    EXPECT_DOUBLE_EQ(result.p90, 100);
}

TEST(statistics, ratios_are_taken_round_by_round) {
    // The machine was ten times slower in the second round: the ratio of medians would hide that nothing changed.
    const std::vector<double> slower{12, 120, 24};
    const std::vector<double> base{10, 100, 20};
    for (const double ratio : paired_ratios(slower, base)) EXPECT_DOUBLE_EQ(ratio, 1.2);
    EXPECT_EQ(paired_differences(slower, base), (std::vector<double>{2, 20, 4}));
}

TEST(statistics_death, unpaired_values_are_refused) {
    const std::vector<double> two{1, 2};
    const std::vector<double> one{1};
    EXPECT_EXIT(paired_ratios(two, one), testing::ExitedWithCode(1), "paired statistics of 2 and 1 values");
}

} // namespace
} // namespace laio::bench
