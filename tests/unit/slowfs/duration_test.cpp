#include "duration.hpp"

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using slowfs::parse_duration;
using slowfs::print_duration;

TEST(duration, is_a_number_and_its_unit) {
    EXPECT_EQ(parse_duration("5ms"), 5ms);
    EXPECT_EQ(parse_duration("0.8ms"), 800us);
    EXPECT_EQ(parse_duration("0s"), 0s);
    EXPECT_EQ(parse_duration("12.5us"), 12500ns);
    EXPECT_EQ(parse_duration("7ns"), 7ns);
    EXPECT_EQ(parse_duration("86400s"), 24h);
}

TEST(duration, is_nothing_else) {
    for (const auto *text : {"", "5", "ms", "-1ms", "-0ms", "+1ms", "5 ms", " 5ms", "5ms ", "5MS", "5m", "1e3ms",
                             "infs", "nans", "86401s", "1.2.3s", "0x5ms", "9999999999999999999999s"})
        EXPECT_FALSE(parse_duration(text)) << text;
}

TEST(duration, is_read_as_it_is_printed) {
    EXPECT_EQ(print_duration(8500us), "8.5ms");
    EXPECT_EQ(print_duration(0s), "0ms");
    for (const auto one : {0ns, 1ns, 999ns, 1000ns, 15'200'000ns, 1'000'000'000ns, 86'400'000'000'000ns})
        EXPECT_EQ(parse_duration(print_duration(one)), one);
}

} // namespace
