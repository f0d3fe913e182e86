#include "trace/httperf_format.hpp"

#include "trace/input_error.hpp"
#include "trace/text_format.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace {

struct reading {
    std::string text{}; // in our own format
    replay::left_out not_taken{};
    std::string error{};
};

reading read(const std::string &text) {
    reading made;
    std::istringstream in(text);
    try {
        std::ostringstream out;
        replay::write_text(replay::read_httperf(in, "log", made.not_taken), out);
        made.text = out.str();
    } catch (const replay::input_error &error) { made.error = error.what(); }
    return made;
}

TEST(httperf_format, a_session_is_a_sequence) {
    const auto made = read("# first\n/a think=2.0\n\t/b\n    /c\n/d method=GET\n# within\n/e\n \t\n\n\n/f\r\n\n");
    EXPECT_EQ(made.error, "");
    EXPECT_EQ(made.text, "/a /b /c /d /e\n/f\n");
    EXPECT_EQ(made.not_taken.think_times, 1U);
    EXPECT_EQ(made.not_taken.other_methods, 0U);
}

TEST(httperf_format, what_is_not_get_is_counted_and_left_out) {
    const auto made = read("/a method=POST contents='x y \\' /z' think=1\n/b\n\n/c method=HEAD\n\n/d contents=abc\n");
    EXPECT_EQ(made.error, "");
    EXPECT_EQ(made.text, "/b\n/d\n");
    EXPECT_EQ(made.not_taken.other_methods, 2U);
    EXPECT_EQ(made.not_taken.bodies, 1U);
    EXPECT_EQ(made.not_taken.think_times, 1U);
}

TEST(httperf_format, contents_go_over_lines) {
    const auto made = read("/a method=PUT contents=\"one\\\n/two three\\\n\" think=3\n/b\n");
    EXPECT_EQ(made.error, "");
    EXPECT_EQ(made.text, "/b\n");
    EXPECT_EQ(made.not_taken.think_times, 1U);
}

TEST(httperf_format, says_what_is_wrong_and_where) {
    EXPECT_EQ(read("/a\n/b color=red\n").error, "log:2: 'color=red' is none of method=, think= and contents=");
    EXPECT_EQ(read("a\n").error, "log:1: 'a' is no path");
    EXPECT_EQ(read("/a contents='x\\").error, "log:1: the file ends within contents");
    EXPECT_EQ(read("/" + std::string(70'000, 'x')).error, "log:1: a line longer than 65536 bytes");
    EXPECT_EQ(read("/a contents='x\\\n" + std::string(70'000, 'x') + "'\n").error,
              "log:2: a line longer than 65536 bytes");
    EXPECT_EQ(read("/a contents='x y\n/b\n").error,
              "log:1: a quote that the line does not close, and no backslash at its end");
    EXPECT_EQ(read("/a method=POST\n").error, "log: no GET in it");
    EXPECT_EQ(read("").error, "log: no GET in it");
}

TEST(httperf_format, is_read_as_it_was_written) {
    std::istringstream in("/a /b /a\n@5 /c\n/d /e\n");
    std::ostringstream out;
    replay::left_out not_written;
    replay::write_httperf(replay::read_text(in, "trace"), out, not_written);
    EXPECT_EQ(not_written.starts, 1U);
    EXPECT_EQ(out.str(), "/a\n/b\n/a\n\n/c\n\n/d\n/e\n");
    EXPECT_EQ(read(out.str()).text, "/a /b /a\n/c\n/d /e\n");
}

} // namespace
