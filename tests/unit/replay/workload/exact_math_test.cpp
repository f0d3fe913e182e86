#include "workload/exact_math.hpp"

#include "workload/random.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace {

namespace exact = replay::exact;

TEST(exact_math, agrees_with_the_c_library) {
    replay::random_numbers random(1, 0);
    for (int i = 0; i < 100'000; ++i) {
        const double x = (random.unit() - 0.5) * 1400;
        EXPECT_NEAR(exact::exp(x) / std::exp(x), 1, 1e-12) << x;
        const double positive = std::ldexp(random.unit(), static_cast<int>(random.below(200)) - 100);
        EXPECT_NEAR(exact::log(positive), std::log(positive), 1e-14 * (1 + std::abs(std::log(positive)))) << positive;
        EXPECT_NEAR(exact::pow(positive, 0.7) / std::pow(positive, 0.7), 1, 1e-12);
    }
    EXPECT_EQ(exact::exp(0), 1);
    EXPECT_EQ(exact::log(1), 0);
}

TEST(exact_math, knows_the_normal_distribution) {
    for (double x = -6; x <= 6; x += 0.01) {
        const double p = std::erfc(-x / std::sqrt(2)) / 2;
        EXPECT_NEAR(exact::normal_cdf(x) / p, 1, 1e-7) << x;
        EXPECT_NEAR(exact::normal_quantile(p), x, 1e-7) << x;
    }
}

// To the last bit: on this machine and on any other.
TEST(exact_math, has_these_bits) {
    EXPECT_EQ(exact::exp(1.7), 0x1.5e552770df8a6p+2);
    EXPECT_EQ(exact::log(1.7), 0x1.0fae81914a991p-1);
    EXPECT_EQ(exact::normal_quantile(0.9), 0x1.4813c3681e9f4p+0);
    EXPECT_EQ(exact::normal_quantile(0.001), -0x1.8b8cbb6ee2822p+1);
}

TEST(random_numbers, are_those_of_the_definition_and_evenly_spread) {
    replay::random_numbers random(7, 3), same(7, 3), other(7, 4);
    EXPECT_EQ(random.next(), same.next());
    EXPECT_NE(random.next(), other.next());
    std::array<int, 10> seen{};
    for (int i = 0; i < 100'000; ++i) ++seen.at(random.below(seen.size()));
    for (const int count : seen) EXPECT_NEAR(count, 10'000, 500);
    double sum = 0;
    for (int i = 0; i < 100'000; ++i) sum += random.unit();
    EXPECT_NEAR(sum / 100'000, 0.5, 0.01);
}

} // namespace
