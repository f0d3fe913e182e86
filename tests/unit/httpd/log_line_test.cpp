#include "http/log_line.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string>

namespace httpd {
namespace {

constexpr auto date = "06/Nov/1994:09:49:37 +0100";

std::string line_of(const log_entry &entry, std::string_view when = date) {
    std::array<char, log_line_max> room{};
    return std::string(format_log_line(entry, when, room));
}

TEST(log_line, is_in_the_combined_format) {
    EXPECT_EQ(line_of({.host = "::1",
                       .line = "GET /a?b HTTP/1.1",
                       .referer = "http://h/",
                       .user_agent = "fuzz/1 (x; y)",
                       .code = status::partial_content,
                       .body_bytes = 12345678901}),
              "::1 - - [06/Nov/1994:09:49:37 +0100] \"GET /a?b HTTP/1.1\" 206 12345678901 \"http://h/\" "
              "\"fuzz/1 (x; y)\"\n");
    EXPECT_EQ(line_of({.code = status::request_timeout}, ""), "- - - [-] \"-\" 408 0 \"-\" \"-\"\n");
}

TEST(log_line, is_one_line_of_printable_ascii) {
    std::string any;
    for (int byte = 0; byte < 256; ++byte) any += static_cast<char>(byte);
    const auto line = line_of({.host = any, .line = any, .referer = any, .user_agent = any}, any);
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
    EXPECT_EQ(line.back(), '\n');
    EXPECT_EQ(std::count(line.begin(), line.end(), '"'), 6);
    EXPECT_TRUE(std::all_of(line.begin(), line.end() - 1, [](char c) { return c >= ' ' && c <= '~'; }));
    EXPECT_EQ(line_of({.line = "a\"b\\c\nd\x7f\xff"}, ""),
              "- - - [-] \"a\\x22b\\x5Cc\\x0Ad\\x7F\\xFF\" 200 0 \"-\" \"-\"\n");
}

TEST(log_line, is_cut_between_characters_and_says_so) {
    const auto limit = log_limits::user_agent;
    const std::string fits(limit - 3, 'x');
    EXPECT_NE(line_of({.user_agent = fits}).find("\"" + fits + "\"\n"), std::string::npos);
    EXPECT_NE(line_of({.user_agent = fits + "y"}).find("\"" + fits + "...\"\n"), std::string::npos);
    const auto almost = fits.substr(0, fits.size() - 2);
    EXPECT_NE(line_of({.user_agent = almost + "\n"}).find("\"" + almost + "...\"\n"), std::string::npos);
}

TEST(log_line, has_room_for_the_longest) {
    const std::string endless(100000, '\n');
    const auto line = line_of({.host = endless,
                               .line = endless,
                               .referer = endless,
                               .user_agent = endless,
                               .code = status::http_version_not_supported,
                               .body_bytes = std::numeric_limits<std::uint64_t>::max()},
                              endless);
    EXPECT_LE(line.size(), log_line_max);
    EXPECT_GT(line.size(), log_line_max - 64);
}

} // namespace
} // namespace httpd
