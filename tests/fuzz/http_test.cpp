// Seeded fuzzing of the HTTP path: pipelines of valid requests, one of them damaged at random, cut at random points. What
// must hold for any bytes is in check_invariants(); besides, the requests before the damaged one come out as they were
// written, and the cuts change nothing. LAIO_FUZZ_SEED and LAIO_FUZZ_ROUNDS repeat a failure or go on for longer; run
// with address and undefined-behaviour sanitizers to see reads out of bounds.
#include "dice.hpp"
#include "http/request_stream.hpp"
#include "http/response_head.hpp"
#include "http/target.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

namespace {

using httpd::request;
using httpd::request_stream;
using httpd::status;
using laio::test::dice;
using laio::test::from_environment;

constexpr httpd::request_limits limits{.head_bytes = 512, .body_bytes = 300};

// A valid request, and what must come out of it.
struct sample {
    std::string bytes;
    std::string path;
    bool is_head = false;
    bool keep_alive = true;
};

sample valid_request(dice &random) {
    static const std::vector<std::string> segments = {"a", "b.html", "..x", "%41", "long-name_~", "%e2%82%ac", "x%20y"};
    static const std::vector<std::string> decoded = {"a", "b.html", "..x", "A", "long-name_~", "\xe2\x82\xac", "x y"};
    static const std::vector<std::string> fields = {
        "Accept: */*\r\n", "User-Agent: fuzz\r\n",       "A:\r\n",
        "B: \t c\t\r\n",   "Connection: keep-alive\r\n", "Cookie: a=b; c=\"d\"\r\n"};
    sample made;
    std::string target;
    const auto depth = random.below(4);
    for (std::size_t i = 0; i < depth; ++i) {
        const auto which = random.below(segments.size());
        target += '/' + segments[which];
        made.path += (i > 0 ? "/" : "") + decoded[which];
    }
    if (depth == 0 || random.one_in(3)) {
        target += random.of({"/", "//", "/./", "/.", "/q/.."});
        made.path += depth == 0 ? "" : "/";
    }
    if (random.one_in(4)) target += "?q=%zz&/../";
    if (random.one_in(8)) target = "http://host:80" + target;

    made.is_head = random.one_in(4);
    made.bytes = (made.is_head ? "HEAD " : "GET ") + target + " HTTP/1.1\r\nHost: h\r\n";
    for (auto n = random.below(4); n > 0; --n) made.bytes += random.of(fields);
    if (random.one_in(8)) {
        made.bytes += "Connection: close\r\n";
        made.keep_alive = false;
    }
    std::string body;
    if (random.one_in(4)) {
        body.resize(random.below(limits.body_bytes + 1));
        std::generate(body.begin(), body.end(), [&random] { return random.byte(); });
        made.bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    }
    made.bytes += "\r\n" + body;
    return made;
}

void damage(dice &random, std::string &bytes) {
    static const std::vector<std::string> splinters = {"\r\n",
                                                       "\n",
                                                       "\r",
                                                       std::string(1, '\0'),
                                                       " ",
                                                       "%",
                                                       "%00",
                                                       "%2f",
                                                       "../",
                                                       "%2e%2e/",
                                                       "\r\n\r\n",
                                                       " HTTP/1.1",
                                                       " HTTP/9.9",
                                                       "Host: x\r\n",
                                                       "Content-Length: 99999999999999999999\r\n",
                                                       ":",
                                                       "POST ",
                                                       "\x80",
                                                       "Expect: 100-continue\r\n",
                                                       "Transfer-Encoding: chunked\r\n",
                                                       "Content-Length: 7\r\n",
                                                       std::string(600, 'x')};
    for (auto times = random.below(3) + 1; times > 0; --times) {
        const auto at = random.below(bytes.size() + 1);
        const auto length = std::min(random.below(20), bytes.size() - at);
        switch (random.below(6)) {
        case 0: bytes.insert(at, random.of(splinters)); break;
        case 1: bytes.erase(at, length); break;
        case 2: bytes.replace(at, length, random.of(splinters)); break;
        case 3: bytes.insert(at, bytes.substr(at, length)); break;
        case 4: bytes.resize(std::max<std::size_t>(at, 1)); break;
        default:
            if (at < bytes.size())
                bytes[at] = random.one_in(2) ? random.byte() : static_cast<char>(bytes[at] ^ (1 << random.below(8)));
        }
        if (bytes.empty()) bytes = "G";
    }
}

template <typename next_length> std::vector<request> feed(std::string_view bytes, next_length piece) {
    request_stream stream(limits);
    std::vector<request> found;
    while (!bytes.empty()) {
        const auto room = stream.room();
        EXPECT_FALSE(room.empty()) << "no request and no room: the connection would hang";
        if (room.empty()) return found;
        const auto length = std::min({std::max<std::size_t>(piece(), 1), room.size(), bytes.size()});
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

void check_path(const std::string &path) {
    std::string again;
    ASSERT_EQ(httpd::decode_target(httpd::encode_path(path), again), status::ok);
    EXPECT_EQ(again, path);
    EXPECT_EQ(httpd::encode_path(path).find("//"), std::string::npos);
    EXPECT_TRUE(std::none_of(path.begin(), path.end(),
                             [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }));
    const auto framed = "/" + path + (path.ends_with('/') ? "" : "/");
    if (!path.empty()) {
        for (const auto *segment : {"//", "/./", "/../"}) EXPECT_EQ(framed.find(segment), std::string::npos) << path;
    }
}

void check_invariants(const std::vector<request> &found, std::size_t bytes) {
    EXPECT_LE(found.size(), bytes / 18 + 1); // "GET / HTTP/1.0" and two ends of line
    for (std::size_t i = 0; i < found.size(); ++i) {
        const auto &one = found[i];
        EXPECT_TRUE(!one.framing_lost || i + 1 == found.size());
        EXPECT_NE(httpd::reason_of(one.verdict), "Unknown");
        EXPECT_LE(one.body_length, limits.body_bytes);
        if (one.verdict == status::ok) check_path(one.path);
    }
}

void expect_same(const request &a, const request &b) {
    EXPECT_EQ(a.verdict, b.verdict);
    EXPECT_EQ(a.path, b.path);
    EXPECT_EQ(a.is_head, b.is_head);
    EXPECT_EQ(a.keep_alive, b.keep_alive);
    EXPECT_EQ(a.framing_lost, b.framing_lost);
    EXPECT_EQ(a.body_length, b.body_length);
}

void one_round(std::uint64_t seed) {
    dice random(seed);
    std::vector<sample> pipeline(random.below(5) + 1);
    for (auto &one : pipeline) one = valid_request(random);
    const auto damaged = random.below(pipeline.size() + 1); // one past the end: none
    std::string bytes;
    for (std::size_t i = 0; i < pipeline.size(); ++i) {
        if (i == damaged) damage(random, pipeline[i].bytes);
        bytes += pipeline[i].bytes;
    }

    const auto at_once = feed(bytes, [] { return std::string::npos; });
    const auto largest = random.one_in(2) ? 4 : bytes.size();
    const auto cut = feed(bytes, [&] { return random.below(largest) + 1; });
    check_invariants(at_once, bytes.size());
    ASSERT_EQ(cut.size(), at_once.size()) << "the cuts changed the number of requests";
    for (std::size_t i = 0; i < cut.size(); ++i) expect_same(cut[i], at_once[i]);

    ASSERT_GE(at_once.size(), std::min(damaged, pipeline.size()));
    for (std::size_t i = 0; i < damaged && i < pipeline.size(); ++i) {
        EXPECT_EQ(at_once[i].verdict, status::ok);
        EXPECT_EQ(at_once[i].path, pipeline[i].path);
        EXPECT_EQ(at_once[i].is_head, pipeline[i].is_head);
        EXPECT_EQ(at_once[i].keep_alive, pipeline[i].keep_alive);
    }
}

TEST(http, any_bytes_cut_anywhere) {
    const auto seed = from_environment("LAIO_FUZZ_SEED", 20040627);
    const auto rounds = from_environment("LAIO_FUZZ_ROUNDS", 30000);
    std::cout << "seed " << seed << ", " << rounds << " rounds\n";
    for (std::uint64_t i = 0; i < rounds; ++i) {
        one_round(seed + i);
        ASSERT_FALSE(HasFailure()) << "repeat with LAIO_FUZZ_SEED=" << seed + i << " LAIO_FUZZ_ROUNDS=1";
    }
}

} // namespace
