// Targets of request lines: what they decode to, and what is refused.
#include "http/target.hpp"

#include <gtest/gtest.h>

#include <string>

namespace httpd {
namespace {

using namespace std::string_literals;

struct good_case {
    std::string target;
    std::string path;
};

TEST(target, decodes_to_a_normal_relative_path) {
    const good_case cases[] = {
        {"/", ""},
        {"/a", "a"},
        {"/a/b.html", "a/b.html"},
        {"/a/", "a/"},
        {"/a?b=c/d", "a"},
        {"/?x", ""},
        {"/a%20b", "a b"},
        {"/%41%5a%7a", "AZz"},
        {"/%e2%82%ac", "\xe2\x82\xac"},
        {"/\xe2\x82\xac", "\xe2\x82\xac"},
        {"/a%3Fb", "a?b"},
        {"/a%25b", "a%b"},
        {"/%2541", "%41"}, // decoded once, not twice
        {"//a///b//", "a/b/"},
        {"/./a/./b/.", "a/b/"},
        {"/a/../b", "b"},
        {"/a/b/..", "a/"},
        {"/a/b/../..", ""},
        {"/a/%2e%2E/b", "b"},
        {"/a/b/../../c/", "c/"},
        {"/...", "..."},
        {"/..a", "..a"},
        {"/a\\b", "a\\b"},
        {"http://host/a/b?q", "a/b"},
        {"http://host", ""},
        {"http://host?q", ""},
        {"http://host:80/", ""},
    };
    for (const auto &one : cases) {
        std::string path = "left over";
        EXPECT_EQ(decode_target(one.target, path), status::ok) << one.target;
        EXPECT_EQ(path, one.path) << one.target;
    }
}

TEST(target, above_the_root_is_a_bad_request) {
    for (const auto *target : {"/..", "/../", "/../a", "/a/../..", "/a/../../b", "/./..", "//..", "/%2e%2e/a", "/.%2e",
                               "/a/..//../b", "http://host/../a"}) {
        std::string path;
        EXPECT_EQ(decode_target(target, path), status::bad_request) << target;
    }
}

TEST(target, what_is_no_target_is_a_bad_request) {
    for (const auto &target : {""s, "a"s, "*"s, "?"s, "host:80"s, "/a#b"s, "/%"s, "/%4"s, "/%4g"s, "/%g4"s, "/%%41"s,
                               "/a%00"s, "/a%0a"s, "/a%0D"s, "/a%1f"s, "/a%7F"s, "/a\0b"s, "/a\tb"s, "/%-1"s}) {
        std::string path;
        EXPECT_EQ(decode_target(target, path), status::bad_request) << target;
    }
}

TEST(target, an_encoded_slash_names_nothing) {
    for (const auto *target : {"/a%2fb", "/%2F", "/..%2f..%2fetc/passwd", "/a/%2f/b"}) {
        std::string path;
        EXPECT_EQ(decode_target(target, path), status::not_found) << target;
    }
}

TEST(target, encoding_undoes_decoding_for_every_byte) {
    for (int byte = 1; byte < 256; ++byte) {
        if (byte < 0x20 || byte == 0x7f || byte == '/') continue;
        const std::string path = "d/x"s + static_cast<char>(byte) + "y";
        std::string back;
        ASSERT_EQ(decode_target(encode_path(path), back), status::ok) << byte;
        EXPECT_EQ(back, path);
    }
}

TEST(target, a_location_never_names_another_host) {
    std::string path;
    ASSERT_EQ(decode_target("//evil.example/%5cx", path), status::ok);
    EXPECT_EQ(encode_path(path), "/evil.example/%5Cx");
}

} // namespace
} // namespace httpd
