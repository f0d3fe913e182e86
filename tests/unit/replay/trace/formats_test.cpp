#include "trace/formats.hpp"

#include <gtest/gtest.h>

namespace {

using replay::guess_format;
using replay::trace_format;

TEST(formats, are_guessed_only_where_there_is_one) {
    EXPECT_EQ(guess_format("# /x /y\n\n/a\n/b /c\n"), trace_format::text);
    EXPECT_EQ(guess_format("@1 /a\n"), trace_format::text);
    EXPECT_EQ(guess_format("/a\n/b think=1\n"), trace_format::httperf);
    EXPECT_EQ(guess_format("/a\n\t/b\n"), trace_format::httperf);
    EXPECT_EQ(guess_format("/a method=POST contents='x /y'\n"), trace_format::httperf);
    EXPECT_EQ(guess_format("damaged\nh - - [01/Jan/1970:00:00:00 +0000] \"GET /a /b\" 200 5\r\n"),
              trace_format::combined);
    for (const char *either : {"", "\n\n", "/a\n/b\n\n/c\n", "# /a /b\n", "anything at all\n"})
        EXPECT_FALSE(guess_format(either)) << either;
}

TEST(formats, have_names) {
    for (const auto format : {trace_format::text, trace_format::httperf, trace_format::common, trace_format::combined})
        EXPECT_EQ(replay::format_named(replay::name_of(format)), format);
    EXPECT_FALSE(replay::format_named("pcap"));
}

} // namespace
