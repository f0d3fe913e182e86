#include "http/range.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <ostream>
#include <string>

namespace httpd {

bool operator==(const range_choice &a, const range_choice &b) {
    return a.what == b.what && a.part.first == b.part.first && a.part.length == b.part.length;
}

// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest's name
void PrintTo(const range_choice &choice, std::ostream *out) {
    if (choice.what == range_choice::kind::whole) *out << "the whole";
    else if (choice.what == range_choice::kind::none) *out << "none of it";
    else *out << choice.part.length << " from " << choice.part.first;
}

namespace {

constexpr auto largest = std::numeric_limits<std::uint64_t>::max();
constexpr range_choice whole{};
constexpr range_choice none{.what = range_choice::kind::none};

range_choice part(std::uint64_t first, std::uint64_t length) {
    return {.what = range_choice::kind::part, .part = {.first = first, .length = length}};
}

TEST(range, from_a_first_to_a_last_byte) {
    EXPECT_EQ(choose_range("bytes=0-0", 10), part(0, 1));
    EXPECT_EQ(choose_range("bytes=2-5", 10), part(2, 4));
    EXPECT_EQ(choose_range("bytes=9-9", 10), part(9, 1));
    EXPECT_EQ(choose_range("bytes=0-9", 10), part(0, 10));
    EXPECT_EQ(choose_range("bytes=5-10", 10), part(5, 5));
    EXPECT_EQ(choose_range("BYTES=0002-05", 10), part(2, 4));
}

TEST(range, to_the_end) {
    EXPECT_EQ(choose_range("bytes=0-", 10), part(0, 10));
    EXPECT_EQ(choose_range("bytes=9-", 10), part(9, 1));
}

TEST(range, of_the_last_bytes) {
    EXPECT_EQ(choose_range("bytes=-1", 10), part(9, 1));
    EXPECT_EQ(choose_range("bytes=-10", 10), part(0, 10));
    EXPECT_EQ(choose_range("bytes=-11", 10), part(0, 10));
}

TEST(range, that_the_file_does_not_have) {
    EXPECT_EQ(choose_range("bytes=10-", 10), none);
    EXPECT_EQ(choose_range("bytes=10-20", 10), none);
    EXPECT_EQ(choose_range("bytes=-0", 10), none);
    EXPECT_EQ(choose_range("bytes=0-", 0), none);
    EXPECT_EQ(choose_range("bytes=0-0", 0), none);
    EXPECT_EQ(choose_range("bytes=-0", 0), none);
    EXPECT_EQ(choose_range("bytes=-5", 0), whole);
}

TEST(range, with_numbers_beyond_all_bounds) {
    const std::string huge(100, '9');
    EXPECT_EQ(choose_range("bytes=0-18446744073709551615", 10), part(0, 10));
    EXPECT_EQ(choose_range("bytes=0-18446744073709551616", 10), part(0, 10));
    EXPECT_EQ(choose_range("bytes=3-" + huge, 10), part(3, 7));
    EXPECT_EQ(choose_range("bytes=" + huge + "-", 10), none);
    EXPECT_EQ(choose_range("bytes=" + huge + "-" + huge, 10), none);
    EXPECT_EQ(choose_range("bytes=18446744073709551616-0", 10), whole); // does not wrap: malformed
    EXPECT_EQ(choose_range("bytes=-" + huge, 10), part(0, 10));
    EXPECT_EQ(choose_range("bytes=0-", largest), part(0, largest));
    EXPECT_EQ(choose_range("bytes=-18446744073709551615", largest), part(0, largest));
    EXPECT_EQ(choose_range("bytes=18446744073709551614-", largest), part(largest - 1, 1));
}

TEST(range, among_empty_elements_of_a_list) {
    EXPECT_EQ(choose_range("bytes= 2-5 ", 10), part(2, 4));
    EXPECT_EQ(choose_range("bytes=, \t,2-5,,", 10), part(2, 4));
}

TEST(range, that_may_be_ignored) {
    for (const auto *field :
         {"",           "bytes",         "bytes=",        "bytes=,",     "bytes=-",    "bytes=--1",   "bytes=5",
          "bytes=5-2",  "bytes=0-1,3-4", "bytes=0-1,0-1", "bytes=0-1,x", "bytes=a-b",  "bytes=0x1-2", "bytes=+1-2",
          "bytes=1 -2", "bytes=1- 2",    "bytes=1-2-3",   "bytes =0-1",  " bytes=0-1", "lines=0-1",   "byte=0-1",
          "bytes:0-1",  "0-1",           "=0-1",          "bytes==0-1"})
        EXPECT_EQ(choose_range(field, 10), whole) << field;
    EXPECT_EQ(choose_range(std::string("bytes=0-1\0", 10), 10), whole);
}

} // namespace
} // namespace httpd
