#include "http/date.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace httpd {
namespace {

TEST(date, is_imf_fixdate) {
    EXPECT_EQ(http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT"); // the example of RFC 9110
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

} // namespace
} // namespace httpd
