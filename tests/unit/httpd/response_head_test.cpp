#include "http/response_head.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

namespace httpd {
namespace {

constexpr auto now = "Sun, 06 Nov 1994 08:49:37 GMT";

file_fields page() {
    struct stat status {};
    status.st_mtim = {.tv_sec = 0, .tv_nsec = 100};
    status.st_size = 12345678901;
    status.st_ino = 7;
    return format_file_fields(describe("a.html", status, 1000));
}

std::string file_head(judgement outcome, persistence connection = persistence::keep) {
    std::string head;
    format_head(head, outcome, page(), connection, now);
    return head;
}

std::string head_of(const answer_head &answer) {
    std::string head;
    format_head(head, answer, now);
    return head;
}

bool has_field(const std::string &head, const std::string &field) {
    return head.find("\r\n" + field) != std::string::npos;
}

TEST(response_head, of_a_file) {
    EXPECT_EQ(file_head({}), "HTTP/1.1 200 OK\r\n"
                             "Server: laio-httpd\r\n"
                             "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                             "Content-Length: 12345678901\r\n"
                             "Content-Type: text/html\r\n"
                             "Last-Modified: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
                             "Accept-Ranges: bytes\r\n"
                             "ETag: \"64-2dfdc1c35-7\"\r\n"
                             "\r\n");
}

TEST(response_head, of_a_part) {
    EXPECT_EQ(file_head({.code = status::partial_content, .part = {.first = 12345678900, .length = 1}}),
              "HTTP/1.1 206 Partial Content\r\n"
              "Server: laio-httpd\r\n"
              "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
              "Content-Range: bytes 12345678900-12345678900/12345678901\r\n"
              "Content-Length: 1\r\n"
              "Content-Type: text/html\r\n"
              "Last-Modified: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
              "Accept-Ranges: bytes\r\n"
              "ETag: \"64-2dfdc1c35-7\"\r\n"
              "\r\n");
}

TEST(response_head, of_what_is_not_modified) {
    EXPECT_EQ(file_head({.code = status::not_modified}, persistence::close), "HTTP/1.1 304 Not Modified\r\n"
                                                                             "Server: laio-httpd\r\n"
                                                                             "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                                                             "Connection: close\r\n"
                                                                             "ETag: \"64-2dfdc1c35-7\"\r\n"
                                                                             "\r\n");
}

TEST(response_head, of_an_answer_of_ours) {
    EXPECT_EQ(head_of({.code = status::precondition_failed}), "HTTP/1.1 412 Precondition Failed\r\n"
                                                              "Server: laio-httpd\r\n"
                                                              "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                                              "Content-Type: text/plain\r\n"
                                                              "Content-Length: 24\r\n"
                                                              "\r\n");
}

TEST(response_head, says_what_becomes_of_the_connection) {
    EXPECT_FALSE(has_field(file_head({}), "Connection:"));
    EXPECT_TRUE(has_field(file_head({}, persistence::close), "Connection: close\r\n"));
    EXPECT_TRUE(has_field(file_head({}, persistence::keep_announce), "Connection: keep-alive\r\n"));
    EXPECT_TRUE(has_field(head_of({.code = status::not_found, .connection = persistence::close}), "Connection: close"));
}

TEST(response_head, has_what_its_status_requires) {
    EXPECT_TRUE(has_field(head_of({.code = status::method_not_allowed}), "Allow: GET, HEAD\r\n"));
    EXPECT_TRUE(has_field(head_of({.code = status::service_unavailable}), "Retry-After: 1\r\n"));
    EXPECT_TRUE(has_field(head_of({.code = status::moved_permanently, .location = "/a/"}), "Location: /a/\r\n"));
    EXPECT_TRUE(has_field(head_of({.code = status::range_not_satisfiable, .file_length = 10}),
                          "Content-Range: bytes */10\r\n"));
    EXPECT_FALSE(has_field(head_of({.code = status::not_found, .file_length = 10}), "Content-Range"));
}

TEST(response_head, is_appended) {
    std::string head = "before";
    format_head(head, {}, page(), persistence::keep, now);
    EXPECT_EQ(head, "before" + file_head({}));
}

TEST(response_head, body_of_an_error_names_it) { EXPECT_EQ(body_of(status::not_found), "404 Not Found\n"); }

} // namespace
} // namespace httpd
