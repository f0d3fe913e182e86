// The histogram against the exact quantiles of the same values, for distributions of several shapes.
#include "report/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

namespace {

using replay::histogram;
using value = histogram::value;

std::int64_t exact(const std::vector<std::int64_t> &sorted, double share) {
    const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
    return sorted[std::max<std::size_t>(rank, 1) - 1];
}

void compare(const char *name, const std::function<double(std::mt19937_64 &)> &draw) {
    SCOPED_TRACE(name);
    std::mt19937_64 random(7);
    histogram seen;
    std::vector<std::int64_t> values;
    for (int i = 0; i < 100000; ++i) {
        values.push_back(static_cast<std::int64_t>(draw(random)));
        seen.record(value{values.back()});
    }
    std::sort(values.begin(), values.end());
    for (const double share : {0.0, 0.001, 0.1, 0.25, 0.5, 0.9, 0.99, 0.999, 0.9999, 1.0}) {
        const auto right = static_cast<double>(exact(values, share));
        EXPECT_NEAR(static_cast<double>(seen.quantile(share).count()), right, 0.004 * right + 0.5) << share;
    }
    EXPECT_EQ(seen.least().count(), values.front());
    EXPECT_EQ(seen.greatest().count(), values.back());
    EXPECT_EQ(seen.count(), values.size());
    double sum = 0;
    for (const auto one : values) sum += static_cast<double>(one);
    EXPECT_NEAR(static_cast<double>(seen.mean().count()), sum / static_cast<double>(values.size()), 1);
}

TEST(histogram, has_the_quantiles_of_what_it_saw) {
    compare("small", [](auto &random) { return std::uniform_real_distribution(0.0, 300.0)(random); });
    compare("uniform", [](auto &random) { return std::uniform_real_distribution(0.0, 1e9)(random); });
    compare("log-normal", [](auto &random) { return std::lognormal_distribution(12.0, 2.0)(random); });
    compare("two humps", [](auto &random) {
        return std::normal_distribution(std::bernoulli_distribution(0.02)(random) ? 5e8 : 2e5, 1e4)(random);
    });
    compare("constant", [](auto &) { return 123456789.0; });
}

TEST(histogram, of_nothing_is_zeros) {
    const histogram seen;
    EXPECT_EQ(seen.count(), 0U);
    EXPECT_EQ(seen.mean(), value{0});
    EXPECT_EQ(seen.least(), value{0});
    EXPECT_EQ(seen.greatest(), value{0});
    EXPECT_EQ(seen.quantile(0.5), value{0});
    EXPECT_TRUE(seen.buckets().empty());
}

TEST(histogram, takes_any_value) {
    histogram seen;
    seen.record(value{-5});
    seen.record(value::max());
    EXPECT_EQ(seen.least(), value{0});
    EXPECT_EQ(seen.greatest(), value::max());
    EXPECT_EQ(seen.quantile(0.5), value{0});
    EXPECT_GT(seen.quantile(1), value::max() / 100 * 99);
}

TEST(histogram, buckets_hold_what_was_recorded_and_touch_none_other) {
    for (int bit = 0; bit < 63; ++bit) {
        for (const std::int64_t off : {-1, 0, 1}) {
            const auto at = std::max<std::int64_t>((std::int64_t{1} << bit) + off, 0);
            histogram seen;
            seen.record(value{at});
            const auto filled = seen.buckets();
            ASSERT_EQ(filled.size(), 1U);
            EXPECT_EQ(filled[0].count, 1U);
            EXPECT_LE(filled[0].from.count(), at);
            EXPECT_GT(filled[0].to.count(), at);
            EXPECT_LE(static_cast<double>((filled[0].to - filled[0].from).count()),
                      std::max(1.0, static_cast<double>(at) / 127));
        }
    }
}

} // namespace
