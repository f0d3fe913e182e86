#include "http/response_head.hpp"

#include <gtest/gtest.h>

namespace httpd {
namespace {

constexpr auto now = "Sun, 06 Nov 1994 08:49:37 GMT";

TEST(response_head, of_a_file) {
    response_head head;
    head.content_length = 12345678901;
    head.content_type = "text/html";
    head.last_modified = 0;
    EXPECT_EQ(format_head(head, now), "HTTP/1.1 200 OK\r\n"
                                      "Server: laio-httpd\r\n"
                                      "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                      "Content-Type: text/html\r\n"
                                      "Content-Length: 12345678901\r\n"
                                      "Last-Modified: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
                                      "\r\n");
}

TEST(response_head, says_what_becomes_of_the_connection) {
    response_head head;
    EXPECT_EQ(format_head(head, now).find("Connection:"), std::string::npos);
    head.connection = persistence::close;
    EXPECT_NE(format_head(head, now).find("\r\nConnection: close\r\n"), std::string::npos);
    head.connection = persistence::keep_announce;
    EXPECT_NE(format_head(head, now).find("\r\nConnection: keep-alive\r\n"), std::string::npos);
}

TEST(response_head, has_what_its_status_requires) {
    response_head head;
    head.code = status::method_not_allowed;
    EXPECT_NE(format_head(head, now).find("\r\nAllow: GET, HEAD\r\n"), std::string::npos);
    head.code = status::service_unavailable;
    EXPECT_NE(format_head(head, now).find("\r\nRetry-After: 1\r\n"), std::string::npos);
    head.code = status::moved_permanently;
    head.location = "/a/";
    EXPECT_NE(format_head(head, now).find("\r\nLocation: /a/\r\n"), std::string::npos);
}

TEST(response_head, body_of_an_error_names_it) { EXPECT_EQ(body_of(status::not_found), "404 Not Found\n"); }

} // namespace
} // namespace httpd
