// What the kernel says of TCP's memory, against what it says to whoever reads it line by line.
#include "kernel/tcp_memory.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace {

TEST(tcp_memory, is_short_above_the_second_mark) {
    std::ifstream marks("/proc/sys/net/ipv4/tcp_mem");
    std::ifstream used("/proc/net/sockstat");
    long low = 0;
    long pressure = 0;
    if (!(marks >> low >> pressure)) GTEST_SKIP() << "no /proc/sys/net/ipv4/tcp_mem here";
    std::string word;
    long pages = -1;
    while (used >> word && word != "TCP:") {}
    while (used >> word && word != "mem") {}
    if (!(used >> pages)) GTEST_SKIP() << "no /proc/net/sockstat here";
    laio::tcp_memory memory;
    if (pages < pressure / 2) EXPECT_FALSE(memory.is_short());
    else if (pages > 2 * pressure) EXPECT_TRUE(memory.is_short());
    else GTEST_SKIP() << "too near the mark to tell: " << pages << " pages of " << pressure;
    EXPECT_EQ(memory.is_short(), memory.is_short()) << "the answer holds for a while";
}

} // namespace
