// Flash against closed forms. Virtual time: nothing waits.
#include "disk/flash_disk.hpp"

#include "closed_loop.hpp"

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using slowfs::channel_choice;
using slowfs::flash_disk;
using slowfs::flash_parameters;
using slowfs::nanoseconds;
using slowfs::test::outcome;
using slowfs::test::random_places;
using slowfs::test::run_closed_loop;

constexpr std::uint64_t span_bytes = 100'000'000'000;
constexpr std::uint32_t block_bytes = 4096;

// 1 ms, of which the transfer is a half.
constexpr flash_parameters simple{.channels = 8, .latency = 500us, .deviation = 0, .rate = 2000UL * block_bytes};

outcome run(const flash_parameters &parameters, std::size_t deep, std::size_t accesses = 40'000) {
    flash_disk one(parameters);
    return run_closed_loop(one, deep, accesses, random_places(span_bytes, block_bytes));
}

TEST(flash_disk, fixed_latency_gives_as_many_as_there_are_channels) {
    for (const std::size_t deep : {1U, 3U, 8U, 9U, 64U}) {
        const auto seen = run(simple, deep);
        const double busy = std::min<double>(static_cast<double>(deep), 8);
        EXPECT_NEAR(seen.per_second(), busy * 1000, 0.002 * busy * 1000) << deep;
        EXPECT_NEAR(seen.mean_latency_s, static_cast<double>(deep) / (busy * 1000), 0.00002) << deep;
    }
}

TEST(flash_disk, mean_latency_is_the_one_that_is_told) {
    for (const double deviation : {0.1, 0.5, 1.0}) {
        flash_parameters parameters = simple;
        parameters.deviation = deviation;
        EXPECT_NEAR(run(parameters, 4).mean_latency_s, 0.001, 0.00002) << deviation;
    }
}

// N stations, d customers, each of whom goes to any of them next: with exponential times N d / (N + d - 1) are served in the
// time of one; with fixed times somewhat more, and never more than if nobody stood in anybody's way.
TEST(flash_disk, by_address_some_stand_in_the_way_of_others) {
    flash_parameters parameters = simple;
    parameters.choice = channel_choice::by_address;
    for (const double deep : {2.0, 8.0, 32.0}) {
        const double rate = run(parameters, static_cast<std::size_t>(deep)).per_second() / 1000;
        EXPECT_GT(rate, 8 * deep / (8 + deep - 1)) << deep;
        EXPECT_LT(rate, 0.99 * std::min(deep, 8.0)) << deep;
    }
}

TEST(flash_disk, by_address_what_stands_together_is_on_one_channel_and_all_are_used) {
    flash_parameters parameters = simple;
    parameters.choice = channel_choice::by_address;
    parameters.stripe_bytes = 65536;
    flash_disk one(parameters);
    for (std::uint32_t i = 0; i < 16; ++i) one.submit({i * 4096UL, 4096}, i, 0ns);
    EXPECT_EQ(*one.next_finish(), 1ms);
    for (std::uint32_t i = 0; i < 16; ++i) EXPECT_EQ(one.take_finished(1h)->at, 1ms * (i + 1));

    for (std::uint64_t i = 0; i < 8000; ++i) one.submit({i * 65536, 4096}, 0, 1h);
    for (const auto &busy : one.activity(10h).busy)
        EXPECT_NEAR(static_cast<double>(busy / 1ms), 1000, 150) << "strides of the stripe go everywhere";
}

TEST(flash_disk, is_busy_as_long_as_it_serves) {
    flash_disk one(simple);
    for (std::uint32_t i = 0; i < 9; ++i) one.submit({0, block_bytes}, i, 1s);
    nanoseconds half{0};
    for (const auto &busy : one.activity(1s + 500us).busy) half += busy;
    EXPECT_EQ(half, 8 * 500us);
    nanoseconds all{0};
    for (const auto &busy : one.activity(2s).busy) all += busy;
    EXPECT_EQ(all, 9ms);
}

TEST(flash_disk, does_the_same_again_by_its_seed) {
    flash_parameters parameters = simple;
    parameters.deviation = 0.5;
    const auto seconds = run(parameters, 20).seconds;
    EXPECT_EQ(run(parameters, 20).seconds, seconds);
    parameters.seed = 2;
    EXPECT_NE(run(parameters, 20).seconds, seconds);
}

} // namespace
