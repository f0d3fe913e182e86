// Request heads: what is read from good ones, and with which status bad ones are refused.
#include "http/request.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace httpd {
namespace {

using namespace std::string_literals;

request read(const std::string &head) {
    auto found = read_request(head, 100);
    found.keep_head(); // the head may be a temporary
    return found;
}

request read_lines(const std::string &request_line, const std::string &fields = "Host: h\r\n") {
    return read(request_line + "\r\n" + fields + "\r\n");
}

TEST(request, of_http_1_1) {
    const auto got = read_lines("GET /a%20b?c HTTP/1.1");
    EXPECT_EQ(got.verdict, status::ok);
    EXPECT_EQ(got.path, "a b");
    EXPECT_FALSE(got.is_head);
    EXPECT_TRUE(got.keep_alive);
    EXPECT_FALSE(got.is_http_1_0);
    EXPECT_FALSE(got.framing_lost);
    EXPECT_EQ(got.body_length, 0U);
    EXPECT_TRUE(read_lines("HEAD / HTTP/1.1").is_head);
}

TEST(request, persists_as_its_version_and_connection_field_say) {
    EXPECT_FALSE(read_lines("GET / HTTP/1.1", "Host: h\r\nConnection: close\r\n").keep_alive);
    EXPECT_FALSE(read_lines("GET / HTTP/1.1", "Host: h\r\nConnection: keep-alive, Close\r\n").keep_alive);
    EXPECT_FALSE(read_lines("GET / HTTP/1.0", "").keep_alive);
    const auto announced = read_lines("GET / HTTP/1.0", "Connection: Keep-Alive\r\n");
    EXPECT_TRUE(announced.keep_alive);
    EXPECT_TRUE(announced.is_http_1_0);
}

TEST(request, of_http_1_1_names_exactly_one_host) {
    EXPECT_EQ(read_lines("GET / HTTP/1.1", "").verdict, status::bad_request);
    EXPECT_EQ(read_lines("GET / HTTP/1.1", "Host: a\r\nHost: a\r\n").verdict, status::bad_request);
    EXPECT_EQ(read_lines("GET / HTTP/1.0", "Host: a\r\nHost: b\r\n").verdict, status::bad_request);
    EXPECT_EQ(read_lines("GET / HTTP/1.0", "").verdict, status::ok);
}

TEST(request, with_a_method_that_we_do_not_have) {
    for (const auto *method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"}) {
        const auto got = read_lines(method + " / HTTP/1.1"s);
        EXPECT_EQ(got.verdict, status::method_not_allowed) << method;
        EXPECT_FALSE(got.framing_lost) << method;
    }
    EXPECT_EQ(read_lines("CONNECT host:80 HTTP/1.1").verdict, status::method_not_allowed);
    EXPECT_EQ(read_lines("OPTIONS * HTTP/1.1").verdict, status::method_not_allowed);
    EXPECT_EQ(read_lines("get / HTTP/1.1").verdict, status::not_implemented);
    EXPECT_EQ(read_lines("BREW / HTTP/1.1").verdict, status::not_implemented);
}

TEST(request, of_another_version) {
    EXPECT_EQ(read_lines("GET / HTTP/2.0").verdict, status::http_version_not_supported);
    EXPECT_EQ(read_lines("GET / HTTP/0.9").verdict, status::http_version_not_supported);
    EXPECT_EQ(read("PRI * HTTP/2.0\r\n\r\n").verdict, status::http_version_not_supported);
    EXPECT_EQ(read_lines("GET / HTTQ/1.1").verdict, status::bad_request);
    EXPECT_EQ(read_lines("GET / HTTP/1.11").verdict, status::bad_request);
    EXPECT_EQ(read_lines("GET / http/1.1").verdict, status::bad_request);
    EXPECT_EQ(read_lines("GET /").verdict, status::bad_request);
}

TEST(request, with_a_body) {
    EXPECT_EQ(read_lines("GET / HTTP/1.1", "Host: h\r\nContent-Length: 100\r\n").body_length, 100U);
    const auto too_long = read_lines("GET / HTTP/1.1", "Host: h\r\nContent-Length: 101\r\n");
    EXPECT_EQ(too_long.verdict, status::content_too_large);
    EXPECT_TRUE(too_long.framing_lost);
    for (const auto *length : {"-1", "x", "", "1x", "0x10", "1, 2", "99999999999999999999999"}) {
        const auto got = read_lines("GET / HTTP/1.1", "Host: h\r\nContent-Length: "s + length + "\r\n");
        EXPECT_EQ(got.verdict, status::bad_request) << length;
        EXPECT_TRUE(got.framing_lost) << length;
    }
}

TEST(request, with_a_transfer_encoding_is_refused_and_the_last) {
    for (const auto *coding : {"chunked", "gzip, chunked", "identity", "x"}) {
        const auto got = read_lines("GET / HTTP/1.1", "Host: h\r\nTransfer-Encoding: "s + coding + "\r\n");
        EXPECT_EQ(got.verdict, status::not_implemented) << coding;
        EXPECT_TRUE(got.framing_lost) << coding;
        const auto both =
            read_lines("GET / HTTP/1.1", "Host: h\r\nContent-Length: 3\r\nTransfer-Encoding: "s + coding + "\r\n");
        EXPECT_EQ(both.verdict, status::bad_request) << coding;
        EXPECT_TRUE(both.framing_lost) << coding;
    }
}

TEST(request, that_waits_for_100_continue_is_answered_and_the_last) {
    const auto got = read_lines("GET / HTTP/1.1", "Host: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n");
    EXPECT_EQ(got.verdict, status::ok);
    EXPECT_TRUE(got.framing_lost);
    EXPECT_FALSE(read_lines("GET / HTTP/1.1", "Host: h\r\nExpect: 100-continue\r\n").framing_lost);
    EXPECT_EQ(read_lines("GET / HTTP/1.1", "Host: h\r\nExpect: else\r\n").verdict, status::expectation_failed);
}

TEST(request, keeps_its_conditions_as_sent) {
    const auto got =
        read_lines("GET / HTTP/1.1", "Host: h\r\nIF-none-Match:  \"a\" \r\nRange: bytes=0-\r\nIf-Range:\r\n"
                                     "If-Match: *\r\nif-none-match: W/\"b\"\r\nIf-Modified-Since: x\r\n"
                                     "If-Unmodified-Since: y\r\n");
    ASSERT_EQ(got.verdict, status::ok);
    const std::vector<std::pair<condition, std::string_view>> expected = {
        {condition::if_none_match, "\"a\""},
        {condition::range, "bytes=0-"},
        {condition::if_range, ""},
        {condition::if_match, "*"},
        {condition::if_none_match, "W/\"b\""},
        {condition::if_modified_since, "x"},
        {condition::if_unmodified_since, "y"},
    };
    ASSERT_EQ(got.conditions.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(got.conditions[i].name, expected[i].first) << i;
        EXPECT_EQ(got.conditions[i].value, expected[i].second) << i;
    }
}

TEST(request, has_a_bounded_number_of_conditions) {
    const auto with = [](std::size_t conditions) {
        std::string fields = "Host: h\r\n";
        for (; conditions > 0; --conditions) fields += "If-Match: *\r\n";
        return read_lines("GET / HTTP/1.1", fields);
    };
    EXPECT_EQ(with(conditions_max).conditions.size(), conditions_max);
    EXPECT_EQ(with(conditions_max + 1).verdict, status::request_header_fields_too_large);
    EXPECT_EQ(with(conditions_max * 3).verdict, status::request_header_fields_too_large);
}

TEST(request, keeps_for_the_log_what_was_sent) {
    const auto got = read_lines("HEAD http://h/%41?b HTTP/1.0", "Referer: http://r/\x80\r\nUser-Agent: u (v)\r\n");
    EXPECT_EQ(got.line, "HEAD http://h/%41?b HTTP/1.0");
    EXPECT_EQ(got.referer, "http://r/\x80");
    EXPECT_EQ(got.user_agent, "u (v)");
    EXPECT_EQ(read_lines("GET /").line, "GET /");
    EXPECT_EQ(read_lines("BREW / HTTP/1.1").line, "BREW / HTTP/1.1");
    EXPECT_EQ(read("").line, "");
    const auto refused = read_lines("GET / HTTP/1.1", "Host: h\r\nUser-Agent: u\r\nTransfer-Encoding: x\r\n");
    EXPECT_EQ(refused.user_agent, "u");
}

TEST(request, points_into_the_head_unless_it_keeps_it) {
    const auto head = "GET /a HTTP/1.1\r\nHost: h\r\nRange: bytes=0-\r\nUser-Agent: u\r\n\r\n"s;
    auto got = read_request(head, 0);
    EXPECT_EQ(got.line.data(), head.data());
    EXPECT_EQ(got.head_storage, nullptr);
    EXPECT_EQ(got.conditions.at(0).value.data(), head.data() + head.find("bytes"));
    got.keep_head();
    const auto moved = std::move(got);
    EXPECT_EQ(moved.head, head);
    for (const auto part : {moved.line, moved.user_agent, moved.conditions.at(0).value}) {
        EXPECT_GE(part.data(), moved.head.data());
        EXPECT_LE(part.data() + part.size(), moved.head.data() + moved.head.size());
    }
}

TEST(request, with_a_folded_field_is_refused) {
    for (const auto *field : {"A: b\r\n c\r\n", "Range: bytes=\r\n 0-1\r\n", "A: b\r\n \r\n"})
        EXPECT_EQ(read_lines("GET / HTTP/1.1", "Host: h\r\n"s + field).verdict, status::bad_request) << field;
}

TEST(request, with_a_value_in_the_line_after_its_name_is_none_of_those) {
    const auto got = read_lines("GET / HTTP/1.1", "Host: h\r\nRange:\r\n bytes=0-1\r\n");
    EXPECT_EQ(got.verdict, status::ok);
    EXPECT_EQ(got.conditions.at(0).value, "bytes=0-1");
}

TEST(request, that_is_malformed_is_refused_and_the_last) {
    for (const auto &head :
         {"GET / HTTP/1.1\nHost: h\n\n"s, "GET / HTTP/1.1\r\nHost: h\n\r\n"s, "GET  / HTTP/1.1\r\nHost: h\r\n\r\n"s,
          "GET / HTTP/1.1 \r\nHost: h\r\n\r\n"s, "GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n"s, " / HTTP/1.1\r\n\r\n"s,
          "GET / HTTP/1.1\r\nHost : h\r\n\r\n"s, "GET / HTTP/1.1\r\n: h\r\n\r\n"s, "GET / HTTP/1.1\r\nHost h\r\n\r\n"s,
          "GET / HTTP/1.1\r\nHost: h\r\nA: \x01\r\n\r\n"s, "GET / HTTP/1.1\r\nHost: h\r\nA\x80: b\r\n\r\n"s,
          "GET / HTTP/1.1\r\nHost: h\r\nA: b\rc\r\n\r\n"s, "GET / HTTP/1.1\r\n Host: h\r\n\r\n"s, "\r\n"s, ""s,
          "GET / HTTP/1.1\r\nHost: h\r\n"s}) {
        const auto got = read(head);
        EXPECT_EQ(got.verdict, status::bad_request) << head;
        EXPECT_TRUE(got.framing_lost) << head;
    }
}

} // namespace
} // namespace httpd
