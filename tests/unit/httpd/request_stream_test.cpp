// Requests from a stream of bytes: cut anywhere, several at once, with bodies, too long.
#include "http/request_stream.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace httpd {
namespace {

constexpr request_limits limits{.head_bytes = 256, .body_bytes = 1000};

// Feeds all bytes, `piece` at a time, and returns the requests that came out up to one that is the last. What they point
// to is gone, but for the last one.
std::vector<request> feed(request_stream &stream, std::string_view bytes, std::size_t piece) {
    std::vector<request> found;
    while (!bytes.empty()) {
        const auto room = stream.room();
        EXPECT_FALSE(room.empty());
        const auto length = std::min({piece, room.size(), bytes.size()});
        std::copy_n(bytes.data(), length, room.data());
        stream.received(length);
        bytes.remove_prefix(length);
        while (auto one = stream.next()) {
            found.push_back(std::move(*one));
            if (found.back().framing_lost) return found;
        }
    }
    return found;
}

std::string get(const std::string &path, const std::string &fields = "") {
    return "GET /" + path + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}

TEST(request_stream, gives_a_request_when_all_of_it_is_here) {
    const auto text = get("a", "Content-Length: 3\r\n") + "xyz";
    request_stream stream(limits);
    EXPECT_TRUE(stream.empty());
    EXPECT_TRUE(feed(stream, text.substr(0, text.size() - 1), 1).empty());
    EXPECT_FALSE(stream.empty());
    const auto found = feed(stream, "z", 1);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].path, "a");
    EXPECT_TRUE(stream.empty());
}

TEST(request_stream, gives_the_same_requests_however_they_are_cut) {
    const auto text = get("a") + get("b", "Content-Length: 600\r\n") + std::string(600, '\n') + "\r\n\r\n" + get("c") +
                      get("d", "Transfer-Encoding: chunked\r\n") + get("never");
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
        request_stream stream(limits);
        const auto found = feed(stream, text, piece);
        ASSERT_EQ(found.size(), 4U) << piece;
        EXPECT_EQ(found[0].path, "a");
        EXPECT_EQ(found[1].path, "b");
        EXPECT_EQ(found[2].path, "c");
        EXPECT_EQ(found[3].verdict, status::not_implemented);
    }
}

TEST(request_stream, takes_a_head_of_just_the_limit) {
    const auto shortest = get("", "A: \r\n").size();
    const auto exact = get("", "A: " + std::string(limits.head_bytes - shortest, 'x') + "\r\n");
    ASSERT_EQ(exact.size(), limits.head_bytes);
    for (const std::size_t piece : {1U, 100U, 1000U}) {
        request_stream stream(limits);
        const auto found = feed(stream, exact + exact, piece);
        ASSERT_EQ(found.size(), 2U) << piece;
        EXPECT_EQ(found[1].verdict, status::ok);
    }
}

TEST(request_stream, refuses_what_is_longer) {
    for (const std::size_t piece : {1U, 100U, 1000U}) {
        request_stream long_line(limits);
        auto found = feed(long_line, get(std::string(limits.head_bytes, 'x')), piece);
        ASSERT_EQ(found.size(), 1U);
        EXPECT_EQ(found[0].verdict, status::uri_too_long);
        EXPECT_TRUE(found[0].framing_lost);

        request_stream long_fields(limits);
        found = feed(long_fields, get("", "A: " + std::string(limits.head_bytes, 'x') + "\r\n"), piece);
        ASSERT_EQ(found.size(), 1U);
        EXPECT_EQ(found[0].verdict, status::request_header_fields_too_large);
        EXPECT_TRUE(found[0].framing_lost);
    }
}

TEST(request_stream, ignores_empty_lines_before_a_request) {
    request_stream stream(limits);
    EXPECT_TRUE(feed(stream, std::string(1000, '\n') + "\r\n\r\n", 7).empty());
    EXPECT_TRUE(stream.empty());
    EXPECT_EQ(feed(stream, "\r\n" + get("a"), 3).size(), 1U);
}

TEST(request_stream, refuses_what_cannot_begin_a_request_at_its_first_byte) {
    for (const char first : {'\x16', '\0', ' ', '/', '\x80', '(', ':'}) {
        request_stream stream(limits);
        const auto found = feed(stream, std::string(1, first), 1);
        ASSERT_EQ(found.size(), 1U) << first;
        EXPECT_EQ(found[0].verdict, status::bad_request);
        EXPECT_TRUE(found[0].framing_lost);
    }
}

TEST(request_stream, leaves_what_a_request_points_to_until_there_is_room_to_be_made) {
    const auto one = get("a", "Range: bytes=1-2\r\nUser-Agent: x\r\n");
    const auto other = get("b", "Content-Length: 3\r\n") + "xyz";
    request_stream stream(limits);
    const auto room = stream.room();
    const auto text = one + other;
    ASSERT_LE(text.size(), room.size());
    std::copy(text.begin(), text.end(), room.begin());
    stream.received(text.size());
    const auto first = stream.next();
    const auto second = stream.next();
    ASSERT_TRUE(first && second);
    EXPECT_TRUE(stream.empty());
    EXPECT_EQ(first->line, "GET /a HTTP/1.1");
    EXPECT_EQ(first->user_agent, "x");
    EXPECT_EQ(first->conditions.at(0).value, "bytes=1-2");
    EXPECT_EQ(second->line, "GET /b HTTP/1.1");
    EXPECT_EQ(second->head_storage, nullptr); // its body was here: nothing had to be copied
}

TEST(request_stream, copies_the_head_of_a_request_whose_body_is_received_over_it) {
    const auto body = "Content-Length: " + std::to_string(limits.head_bytes * 2) + "\r\n";
    const auto text =
        get("b", "If-Match: \"x\"\r\nReferer: r\r\nUser-Agent: x\r\n" + body) + std::string(limits.head_bytes * 2, '#');
    for (const std::size_t piece : {1U, 100U, 1000U}) {
        request_stream stream(limits);
        const auto found = feed(stream, text, piece);
        ASSERT_EQ(found.size(), 1U);
        EXPECT_EQ(found[0].line, "GET /b HTTP/1.1");
        EXPECT_EQ(found[0].referer, "r");
        EXPECT_EQ(found[0].user_agent, "x");
        EXPECT_EQ(found[0].conditions.at(0).value, "\"x\"");
        EXPECT_NE(found[0].head_storage, nullptr);
    }
}

TEST(request_stream, tells_the_log_what_it_refuses) {
    request_stream garbage(limits);
    EXPECT_EQ(feed(garbage, "\x16\x03\x01xyz\r\nabc", 1000).at(0).line, "\x16\x03\x01xyz");
    request_stream long_fields(limits);
    const auto found = feed(long_fields, get("a", "A: " + std::string(limits.head_bytes, 'x') + "\r\n"), 1000);
    EXPECT_EQ(found.at(0).line, "GET /a HTTP/1.1");
}

TEST(request_stream, can_be_used_for_anything_after_clear) {
    request_stream stream(limits);
    feed(stream, get("a", "Content-Length: 30\r\n") + "xyz", 1000);
    stream.clear();
    EXPECT_TRUE(stream.empty());
    EXPECT_EQ(stream.room().size(), limits.head_bytes);
    EXPECT_EQ(feed(stream, get("b"), 1000).size(), 1U);
}

} // namespace
} // namespace httpd
