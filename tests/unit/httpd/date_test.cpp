#include "http/date.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace httpd {
namespace {

constexpr std::time_t example = 784111777;           // of RFC 9110
constexpr std::time_t new_year_of_2026 = 1767225600; // 2026-01-01T00:00:00Z

std::optional<std::time_t> parse(std::string_view text, std::time_t now = new_year_of_2026) {
    return parse_http_date(text, now);
}

TEST(date, is_imf_fixdate) {
    EXPECT_EQ(http_date(example), "Sun, 06 Nov 1994 08:49:37 GMT");
    EXPECT_EQ(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
    EXPECT_EQ(http_date(951782400), "Tue, 29 Feb 2000 00:00:00 GMT");
    EXPECT_EQ(http_date(-1), "Wed, 31 Dec 1969 23:59:59 GMT");
    EXPECT_EQ(http_date(253402300799), "Fri, 31 Dec 9999 23:59:59 GMT");
}

TEST(date, what_has_no_year_of_four_digits_is_1970) {
    EXPECT_EQ(http_date(253402300800), http_date(0));
    EXPECT_EQ(http_date(INT64_MAX), http_date(0));
    EXPECT_EQ(http_date(INT64_MIN), http_date(0));
}

TEST(date, is_read_in_three_forms) {
    EXPECT_EQ(parse("Sun, 06 Nov 1994 08:49:37 GMT"), example);
    EXPECT_EQ(parse("Sunday, 06-Nov-94 08:49:37 GMT"), example);
    EXPECT_EQ(parse("Sun Nov  6 08:49:37 1994"), example);
    EXPECT_EQ(parse("Wed Nov 16 08:49:37 1994"), example + 864000);
    EXPECT_EQ(parse("Sun Nov 06 08:49:37 1994"), example);
    EXPECT_EQ(parse("Sat, 31 Dec 2016 23:59:60 GMT"), 1483228800); // a leap second
    for (const std::time_t edge : {-62167219200L, -1L, 0L, 951782399L, 253402300799L})
        EXPECT_EQ(parse(http_date(edge)), edge);
}

TEST(date, that_is_nearly_one_is_none) {
    for (const auto *text : {
             "",
             "Sun, 06 Nov 1994 08:49:37",
             "Sun, 06 Nov 1994 08:49:37 UTC",
             "Sun, 06 Nov 1994 08:49:37 GMT ",
             " Sun, 06 Nov 1994 08:49:37 GMT",
             "Sun, 6 Nov 1994 08:49:37 GMT",
             "Sun,  6 Nov 1994 08:49:37 GMT",
             "Sun, 06 nov 1994 08:49:37 GMT",
             "sun, 06 Nov 1994 08:49:37 GMT",
             "Mon, 06 Nov 1994 08:49:37 GMT", // was a Sunday
             "Sun, 06 Nov 94 08:49:37 GMT",
             "Sun, 06 Nov +994 08:49:37 GMT",
             "Sun, 06 Nov 1994 8:49:37 GMT",
             "Sun, 06 Nov 1994 24:49:37 GMT",
             "Sun, 06 Nov 1994 08:60:37 GMT",
             "Sun, 06 Nov 1994 08:49:61 GMT",
             "Thu, 00 Nov 1994 08:49:37 GMT",
             "Mon, 31 Nov 1994 08:49:37 GMT",
             "Wed, 29 Feb 1995 08:49:37 GMT",
             "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
             "Sunday, 06 Nov 1994 08:49:37 GMT",
             "Sunday, 06-Nov-1994 08:49:37 GMT",
             "Sun, 06-Nov-94 08:49:37 GMT",
             "Sun Nov 6 08:49:37 1994",
             "Sun Nov   6 08:49:37 1994",
             "Sun Nov  6 08:49:37 1994 GMT",
             "Sun Nov  6 08:49:37 94",
             "784111777",
             ",",
         })
        EXPECT_EQ(parse(text), std::nullopt) << text;
}

TEST(date, with_two_digits_of_a_year_is_at_most_50_years_ahead) {
    EXPECT_EQ(parse("Thursday, 01-Jan-70 00:00:00 GMT"), 0);
    EXPECT_EQ(parse("Wednesday, 01-Jan-76 00:00:00 GMT"), 3345062400);             // 2076: exactly 50 years
    EXPECT_EQ(parse("Thursday, 01-Jan-76 00:00:01 GMT"), 189302401);               // 1976
    EXPECT_EQ(parse("Wednesday, 01-Jan-76 00:00:01 GMT"), std::nullopt);           // 2076 is out of the question
    EXPECT_EQ(parse("Saturday, 01-Jan-77 00:00:00 GMT"), 220924800);               // 1977
    EXPECT_EQ(parse("Friday, 31-Dec-99 23:59:59 GMT", 3345062400), 946684800 - 1); // seen from 2076
    EXPECT_EQ(parse("Thursday, 01-Jan-70 00:00:00 GMT", INT64_MIN), 0);
    EXPECT_EQ(parse("Thursday, 01-Jan-70 00:00:00 GMT", INT64_MAX), 0);
}

TEST(date, of_a_log_is_a_local_one) {
    EXPECT_EQ(log_date(example, 0), "06/Nov/1994:08:49:37 +0000");
    EXPECT_EQ(log_date(example, 3600), "06/Nov/1994:09:49:37 +0100");
    EXPECT_EQ(log_date(example, -(9 * 3600 + 30 * 60)), "05/Nov/1994:23:19:37 -0930");
}

} // namespace
} // namespace httpd
