#include "trace/text_format.hpp"

#include "trace/input_error.hpp"
#include "trace/seconds.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace {

using namespace std::chrono_literals;
using replay::trace;

trace read(const std::string &text) {
    std::istringstream in(text);
    return replay::read_text(in, "trace");
}

std::string written(const trace &from) {
    std::ostringstream out;
    replay::write_text(from, out);
    return out.str();
}

std::string error_of(const std::string &text) {
    try {
        read(text);
    } catch (const replay::input_error &error) { return error.what(); }
    return "no error";
}

TEST(text_format, reads_sequences_with_and_without_a_start) {
    const trace made = read("# a comment /x\n@1.5 /a /b /a\n\n/c");
    ASSERT_EQ(made.sequences(), 2U);
    EXPECT_EQ(made.requests(), 4U);
    EXPECT_EQ(made.paths().size(), 3U);
    EXPECT_EQ(made[0].start, 1500ms);
    EXPECT_EQ(made[0].requests.size(), 3U);
    EXPECT_EQ(made[0].requests[0], made[0].requests[2]);
    EXPECT_FALSE(made[1].start);
    EXPECT_EQ(made.paths()[made[1].requests[0]], "/c");
    EXPECT_FALSE(made.timed());
    EXPECT_TRUE(read("@0 /a\n@2 /b\n").timed());
}

TEST(text_format, writes_what_it_read) {
    const std::string text = "@0 /a /b?c=%20d\n@0.000000001 /a\n/c\n@123456789.5 /\xc3\xa4\n";
    EXPECT_EQ(written(read(text)), text);
}

TEST(text_format, says_what_is_wrong_and_where) {
    EXPECT_EQ(error_of("/a\n/b  /c\n"), "trace:2: there is not one space between two words");
    EXPECT_EQ(error_of("/a \n"), "trace:1: there is not one space between two words");
    EXPECT_EQ(error_of(" /a\n"), "trace:1: there is not one space between two words");
    EXPECT_EQ(error_of("/a b\n"), "trace:1: 'b' does not begin with '/'");
    EXPECT_EQ(error_of("/a @1\n"), "trace:1: '@1' does not begin with '/'");
    EXPECT_EQ(error_of("/a\tb\n"), "trace:1: a control character");
    EXPECT_EQ(error_of("/a\r\n"), "trace:1: a control character");
    EXPECT_EQ(error_of("@1\n"), "trace:1: a start without requests");
    EXPECT_EQ(error_of("@-1 /a\n"), "trace:1: '@-1' is not '@' and decimal seconds");
    EXPECT_EQ(error_of("@ /a\n"), "trace:1: '@' is not '@' and decimal seconds");
    EXPECT_EQ(error_of("# nothing\n\n"), "trace: no sequence in it");
    EXPECT_EQ(error_of("\n/" + std::string(8192, 'x') + "\n"), "trace:2: a path longer than 8192 bytes");
}

TEST(text_format, takes_what_its_limits_allow) {
    EXPECT_EQ(read("/" + std::string(8191, 'x')).requests(), 1U);
    std::string line;
    for (int i = 0; i < 1'000'000; ++i) line += "/a ";
    line.back() = '\n';
    EXPECT_EQ(read(line).requests(), 1'000'000U);
    EXPECT_EQ(error_of("/a " + line), "trace:1: a sequence of more than 1000000 requests");
}

TEST(text_format, a_file_that_is_not_there_is_named) {
    EXPECT_THROW(replay::read_text_file("/nowhere/at/all"), replay::input_error);
    EXPECT_THROW(replay::read_text_file("/"), replay::input_error);
}

TEST(seconds, are_exact_both_ways) {
    for (const char *text : {"0", "1", "0.1", "0.000000001", "9000000000.999999999", "12.05"})
        EXPECT_EQ(replay::format_seconds(replay::parse_seconds(text).value()), text);
    EXPECT_EQ(replay::parse_seconds("007.500"), 7500ms);
    for (const char *text :
         {"", ".", "1.", ".5", "-1", "+1", "1e3", "1 ", "0x1", "1.0000000001", "9000000001", "00000000001", "1.-5"})
        EXPECT_FALSE(replay::parse_seconds(text)) << text;
}

} // namespace
