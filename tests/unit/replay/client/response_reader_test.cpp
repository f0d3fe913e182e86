// What is read out of responses, each given whole, byte by byte, and with all of its body that may be dropped, dropped.
#include "client/response_reader.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace {

using replay::content;
using replay::failure;
using replay::response_reader;

struct expected {
    failure verdict = failure::none;
    int status = 200;
    std::uint64_t body_bytes = 0;
    bool persists = true;
    bool at_close = false; // only the closing ends it
};

void feed_whole(response_reader &reader, std::string_view bytes) { reader.take(bytes); }

void feed_bytewise(response_reader &reader, std::string_view bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) reader.take(bytes.substr(i, 1));
}

// As the connection does it: a head is taken with what comes along, the rest is dropped.
void feed_dropping(response_reader &reader, std::string_view bytes) {
    while (!bytes.empty() && !reader.ended()) {
        const auto n = std::min<std::size_t>(bytes.size(), reader.droppable() > 0 ? reader.droppable() + 1 : 7);
        if (reader.droppable() > 0) reader.dropped(n);
        else reader.take(bytes.substr(0, n));
        bytes.remove_prefix(n);
    }
    reader.take(bytes);
}

void check(const std::string &bytes, const expected &right) {
    SCOPED_TRACE(bytes.substr(0, 200));
    for (const auto feed : {feed_whole, feed_bytewise, feed_dropping}) {
        response_reader reader;
        reader.start();
        EXPECT_FALSE(reader.begun());
        feed(reader, bytes);
        EXPECT_EQ(reader.ended(), !right.at_close);
        if (right.at_close) reader.peer_closed();
        ASSERT_TRUE(reader.ended());
        EXPECT_EQ(reader.verdict(), right.verdict) << name_of(reader.verdict());
        EXPECT_EQ(right.status != 0 ? reader.status() : 0, right.status);
        EXPECT_EQ(right.verdict == failure::none ? reader.body_bytes() : 0, right.body_bytes);
        EXPECT_EQ(reader.connection_persists(), right.persists);
    }
}

const std::string ok = "HTTP/1.1 200 OK\r\n";

TEST(response_reader, bodies_of_a_known_length) {
    check(ok + "Content-Length: 0\r\n\r\n", {});
    check(ok + "content-length:5\r\nServer: x\r\n\r\nhello", {.body_bytes = 5});
    check(ok + "Content-Length: 5000\r\n\r\n" + std::string(5000, 'x'), {.body_bytes = 5000});
    check(ok + "Content-Length: 5\r\nConnection: close\r\n\r\nhello", {.body_bytes = 5, .persists = false});
    check("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", {.body_bytes = 5, .persists = false});
    check("HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello", {.body_bytes = 5});
}

TEST(response_reader, bodies_that_say_their_length_on_the_way) {
    const auto chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
    check(chunked + "0\r\n\r\n", {});
    check(chunked + "000\r\n\r\n", {});
    check(chunked + "5 \r\nhello\r\n0;x\r\n\r\n", {.body_bytes = 5});
    check(chunked + "5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\n", {.body_bytes = 6});
    check(chunked + "A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n", {.body_bytes = 10});
    check(chunked + "5\r\nhel", {.verdict = failure::truncated, .persists = false, .at_close = true});
    check(chunked + "5\r\nhello\r\n", {.verdict = failure::truncated, .persists = false, .at_close = true});
    for (const auto *broken :
         {"\r\n", "5\nhello\r\n", "5\r\nhelloX", "5\r\nhello\rX", "5\rX", "5x\r\n", "ffffffffffffffff\r\n", "5;x\n",
          "0\r\n\n", "0\r\n\rX", "0\r\nTrailer: x\r\n\n", " 5\r\n"})
        check(chunked + broken, {.verdict = failure::malformed, .persists = false});
    check(chunked + "0\r\nX: " + std::string(70000, 'x'), {.verdict = failure::malformed, .persists = false});
    check(chunked + "xyz\r\nhello\r\n", {.verdict = failure::malformed, .persists = false});
}

TEST(response_reader, bodies_that_end_with_the_connection) {
    check(ok + "\r\nhello", {.body_bytes = 5, .persists = false, .at_close = true});
    check("HTTP/1.0 200 OK\r\n\r\n", {.persists = false, .at_close = true});
}

TEST(response_reader, responses_without_a_body) {
    check("HTTP/1.1 204 No Content\r\n\r\n", {.status = 204});
    check("HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", {.verdict = failure::bad_status, .status = 304});
}

TEST(response_reader, interim_responses_are_passed_over) {
    check("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok +
              "Content-Length: 2\r\n\r\nhi",
          {.body_bytes = 2});
    std::string many;
    for (int i = 0; i <= response_reader::interim_responses_max; ++i) many += "HTTP/1.1 100 Continue\r\n\r\n";
    check(many, {.verdict = failure::malformed, .status = 0, .persists = false});
    check("HTTP/1.1 100 Continue\r\n\r\n",
          {.verdict = failure::truncated, .status = 0, .persists = false, .at_close = true});
}

TEST(response_reader, other_statuses_are_whole_but_bad) {
    check("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\noops", {.verdict = failure::bad_status, .status = 404});
    check("HTTP/1.1 101 Switching\r\n\r\n", {.verdict = failure::bad_status, .status = 101});
    check("HTTP/1.1 500 \r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
          {.verdict = failure::bad_status, .status = 500, .persists = false});
}

TEST(response_reader, too_little_and_too_much) {
    check("", {.verdict = failure::closed, .status = 0, .persists = false, .at_close = true});
    check("HTTP/1.1 2", {.verdict = failure::truncated, .status = 0, .persists = false, .at_close = true});
    check(ok + "Content-Length: 5\r\n\r\nhell", {.verdict = failure::truncated, .persists = false, .at_close = true});
    check(ok + "Content-Length: 5\r\n\r\nhello!", {.verdict = failure::too_long, .persists = false});
    check(ok + "Content-Length: 0\r\n\r\n!", {.verdict = failure::too_long, .persists = false});
    check(ok + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n!", {.verdict = failure::too_long, .persists = false});
}

TEST(response_reader, what_is_no_response) {
    check("SSH-2.0-OpenSSH_9.2\r\n\r\n", {.verdict = failure::malformed, .status = 0, .persists = false});
    check("HTTP/2.0 200 OK\r\n\r\n", {.verdict = failure::malformed, .status = 0, .persists = false});
    check(ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
          {.verdict = failure::malformed, .status = 0, .persists = false});
    check(ok + "Content-Length: -1\r\n\r\n", {.verdict = failure::malformed, .status = 0, .persists = false});
    check(ok + "Content-Length: 99999999999999999999999\r\n\r\n",
          {.verdict = failure::malformed, .status = 0, .persists = false});
    check(ok + "no colon\r\n\r\n", {.verdict = failure::malformed, .status = 0, .persists = false});
    check(ok + "X: " + std::string(response_reader::head_bytes_max, 'x'),
          {.verdict = failure::malformed, .status = 0, .persists = false});
    check(ok + "Transfer-Encoding: chunked\r\n\r\n5;" + std::string(response_reader::head_bytes_max, 'x'),
          {.verdict = failure::malformed, .persists = false});
}

TEST(response_reader, compares_a_body_that_is_known) {
    std::vector<std::byte> bytes(1000);
    content("/a").fill(0, bytes);
    const std::string_view body(reinterpret_cast<const char *>(bytes.data()), bytes.size());
    const auto head = ok + "Content-Length: 1000\r\n\r\n";
    for (const auto feed : {feed_whole, feed_bytewise, feed_dropping}) {
        response_reader reader;
        for (const auto *path : {"/a", "/b", "/a"}) { // used again, it forgets
            reader.start(content(path));
            EXPECT_TRUE(reader.compared());
            feed(reader, head + std::string(body));
            ASSERT_TRUE(reader.ended());
            EXPECT_EQ(reader.verdict(), path == std::string_view("/a") ? failure::none : failure::wrong_body);
            EXPECT_TRUE(reader.connection_persists());
        }
    }
}

TEST(response_reader, more_than_was_droppable_is_an_error) {
    response_reader reader;
    reader.start();
    reader.take(ok + "Content-Length: 10\r\n\r\nabc");
    EXPECT_EQ(reader.droppable(), 7U);
    reader.dropped(8);
    EXPECT_EQ(reader.verdict(), failure::too_long);
    EXPECT_EQ(reader.body_bytes(), 10U);
}

TEST(response_reader, zeros_without_end_are_no_size_of_a_chunk) {
    response_reader reader;
    reader.start();
    reader.take("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0001\r\nx\r\n");
    EXPECT_FALSE(reader.ended());
    reader.take(std::string(5000, '0'));
    ASSERT_TRUE(reader.ended());
    EXPECT_EQ(reader.verdict(), failure::malformed);
}

} // namespace
