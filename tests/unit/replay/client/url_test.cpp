#include "client/url.hpp"

#include <gtest/gtest.h>

#include <netinet/in.h>

#include <cstring>
#include <stdexcept>

namespace {

using replay::parse_url;

TEST(url, has_a_host_and_a_port) {
    const auto plain = parse_url("http://127.0.0.1:8080/");
    EXPECT_EQ(plain.host, "127.0.0.1");
    EXPECT_EQ(plain.port, 8080);
    EXPECT_EQ(plain.host_field(), "127.0.0.1:8080");
    const auto named = parse_url("http://example");
    EXPECT_EQ(named.port, 80);
    EXPECT_EQ(named.host_field(), "example");
    const auto v6 = parse_url("http://[::1]:81");
    EXPECT_EQ(v6.host, "::1");
    EXPECT_EQ(v6.port, 81);
    EXPECT_EQ(v6.host_field(), "[::1]:81");
}

TEST(url, of_another_form_is_refused) {
    for (const auto *text :
         {"", "http://", "https://h/", "h:80", "http://h:0/", "http://h:65536/", "http://h:/", "http://h:8x/",
          "http://h/path", "http://u@h/", "http://[::1/", "http://[::1]x", "http://h h/", "http://:80/", "http://h?q",
          "http://h//", "http://h\r\nX: y/", "http://[]:80/"})
        EXPECT_THROW(parse_url(text), std::invalid_argument) << text;
}

TEST(url, is_resolved) {
    const auto found = replay::resolve(parse_url("http://127.0.0.1:8080/"));
    sockaddr_in address{};
    ASSERT_EQ(found.length, sizeof address);
    std::memcpy(&address, &found.address, sizeof address);
    EXPECT_EQ(ntohs(address.sin_port), 8080);
    EXPECT_EQ(ntohl(address.sin_addr.s_addr), INADDR_LOOPBACK);
    EXPECT_THROW(replay::resolve({.host = "no.such.name.invalid", .port = 1}), std::runtime_error);
}

} // namespace
