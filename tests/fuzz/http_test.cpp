// Seeded fuzzing of the HTTP path. Streams: pipelines of valid requests, one of them damaged at random, cut at random points. What
// must hold for any bytes is in check_invariants(); besides, the requests before the damaged one come out as they were
// written, and the cuts change nothing. Besides: conditions and ranges, dates, lines of the log. LAIO_FUZZ_SEED and LAIO_FUZZ_ROUNDS repeat a failure or go on for longer; run
// with address and undefined-behaviour sanitizers to see reads out of bounds.
#include "http/conditions.hpp"
#include "http/date.hpp"
#include "http/log_line.hpp"
#include "http/range.hpp"
#include "http/request_stream.hpp"
#include "http/response_head.hpp"
#include "http/target.hpp"
#include "rounds.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

namespace {

using httpd::request;
using httpd::request_stream;
using httpd::status;
using laio::test::dice;
using laio::test::run_rounds;

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
        "B: \t c\t\r\n",   "Connection: keep-alive\r\n", "Cookie: a=b; c=\"d\"\r\n",
        "Referer: r\r\n",  "Range: bytes=0-9\r\n",       "If-None-Match: \"a\", W/\"b\"\r\n"};
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
    laio::test::damage(random, bytes, splinters);
    if (bytes.empty()) bytes = "G";
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
            one->keep_head(); // for comparing later
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

void check_part(std::string_view part, std::string_view whole) {
    if (part.empty()) return;
    EXPECT_GE(part.data(), whole.data());
    EXPECT_LE(part.data() + part.size(), whole.data() + whole.size());
}

void check_invariants(const std::vector<request> &found, std::size_t bytes) {
    EXPECT_LE(found.size(), bytes / 18 + 1); // "GET / HTTP/1.0" and two ends of line
    for (std::size_t i = 0; i < found.size(); ++i) {
        const auto &one = found[i];
        EXPECT_TRUE(!one.framing_lost || i + 1 == found.size());
        EXPECT_NE(httpd::reason_of(one.verdict), "Unknown");
        EXPECT_LE(one.body_length, limits.body_bytes);
        EXPECT_LE(one.conditions.size(), httpd::conditions_max);
        EXPECT_EQ(one.line.find_first_of("\r\n"), std::string::npos);
        for (const auto part : {one.line, one.referer, one.user_agent}) check_part(part, one.head);
        for (const auto &field : one.conditions) check_part(field.value, one.head);
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
    if (a.framing_lost) return; // its head is what had come of it
    EXPECT_EQ(a.head, b.head);
    EXPECT_EQ(a.line, b.line);
    EXPECT_EQ(a.referer, b.referer);
    EXPECT_EQ(a.user_agent, b.user_agent);
    ASSERT_EQ(a.conditions.size(), b.conditions.size());
    for (std::size_t i = 0; i < a.conditions.size(); ++i) {
        EXPECT_EQ(a.conditions[i].name, b.conditions[i].name);
        EXPECT_EQ(a.conditions[i].value, b.conditions[i].value);
    }
}

void one_round(dice &random) {
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

// Text made of pieces that mean something, and of any bytes.
std::string jumble(dice &random, const std::vector<std::string> &pieces) {
    std::string text;
    for (auto n = random.below(6); n > 0; --n) {
        if (random.one_in(8)) text += random.byte();
        else text += random.of(pieces);
    }
    return text;
}

std::uint64_t any_number(dice &random) {
    return random.one_in(4) ? random.below(20) : static_cast<std::uint64_t>(random.below(SIZE_MAX)) >> random.below(64);
}

void range_round(dice &random) {
    const auto first = any_number(random);
    const auto last = any_number(random);
    const auto length = any_number(random);
    const auto number = [](std::uint64_t n) { return std::to_string(n); };

    using kind = httpd::range_choice::kind;
    const auto both = httpd::choose_range("bytes=" + number(first) + "-" + number(last), length);
    const auto expected = last < first ? kind::whole : first < length ? kind::part : kind::none;
    ASSERT_EQ(both.what, expected) << first << "-" << last << "/" << length;
    if (both.what == kind::part) {
        EXPECT_EQ(both.part.first, first);
        EXPECT_EQ(both.part.length, std::min(last, length - 1) - first + 1);
    }

    const auto any = httpd::choose_range(jumble(random, {"bytes=", "bytes", "=", "-", ",", " ", "0", number(first),
                                                         number(last), "99999999999999999999"}),
                                         length);
    if (any.what != kind::part) return;
    EXPECT_GT(any.part.length, 0U);
    EXPECT_LT(any.part.first, length);
    EXPECT_LE(any.part.length, length - any.part.first);
}

// What must hold for any conditions: a status that fits them, and a head that is one.
void conditions_round(dice &random) {
    static const std::vector<std::string> names = {
        "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range", "Range"};
    struct stat file_status {};
    file_status.st_size = static_cast<off_t>(random.below(100));
    file_status.st_mtim = {.tv_sec = 784111777, .tv_nsec = 1};
    constexpr std::time_t now = 1767225600;
    const auto file = httpd::describe("a.html", file_status, now);
    const std::vector<std::string> pieces = {std::string(file.tag.text()),
                                             "W/",
                                             "\"x\"",
                                             "*",
                                             ",",
                                             " ",
                                             "bytes=0-9",
                                             "bytes=-5",
                                             "bytes=200-",
                                             httpd::http_date(784111777),
                                             httpd::http_date(784111776),
                                             "Sunday, 06-Nov-94 08:49:38 GMT"};
    request asked;
    asked.is_head = random.one_in(3);
    std::vector<std::string> values(random.below(5));
    for (auto &value : values) {
        value = random.one_in(2) ? random.of(pieces) : jumble(random, pieces);
        asked.conditions.push_back({static_cast<httpd::condition>(random.below(names.size())), value});
    }
    const auto has = [&](httpd::condition name) {
        return std::any_of(asked.conditions.begin(), asked.conditions.end(),
                           [name](const auto &field) { return field.name == name; });
    };

    const auto found = httpd::judge_conditions(asked, file, now);
    using httpd::condition;
    switch (found.code) {
    case status::ok: break;
    case status::partial_content:
        EXPECT_GT(found.part.length, 0U);
        EXPECT_LE(found.part.first + found.part.length, file.length);
        [[fallthrough]];
    case status::range_not_satisfiable: EXPECT_TRUE(has(condition::range) && !asked.is_head); break;
    case status::not_modified: EXPECT_TRUE(has(condition::if_none_match) || has(condition::if_modified_since)); break;
    case status::precondition_failed:
        EXPECT_TRUE(has(condition::if_match) || has(condition::if_unmodified_since));
        break;
    default: ADD_FAILURE() << code_of(found.code);
    }
}

void date_round(dice &random) {
    constexpr std::time_t now = 1767225600;
    constexpr std::size_t years = 10000;
    const auto seconds = -62167219200 + static_cast<std::time_t>(random.below(years * 31556952));
    const auto text = httpd::http_date(seconds);
    EXPECT_EQ(httpd::parse_http_date(text, now), seconds) << text;

    auto other = text;
    other[random.below(other.size())] = random.one_in(2) ? random.byte() : static_cast<char>('0' + random.below(10));
    const auto read = httpd::parse_http_date(other, now);
    if (read && other.find(":60 ") == std::string::npos) { EXPECT_EQ(httpd::http_date(*read), other); }
    httpd::parse_http_date(jumble(random, {"Sun", "Sunday", ", ", " ", "06", "6", "Nov", "-", ":", "94", "1994", " GMT",
                                           "Sun Nov  6 08:49:37 1994", "Sunday, 06-Nov-"}),
                           static_cast<std::time_t>(any_number(random)));
}

void log_round(dice &random) {
    const auto text = [&random] {
        std::string bytes(random.one_in(3) ? random.below(5000) : random.below(40), '\0');
        std::generate(bytes.begin(), bytes.end(), [&random] { return random.byte(); });
        return bytes;
    };
    const auto host = text();
    const auto line = text();
    const auto referer = text();
    const auto user_agent = text();
    const httpd::log_entry entry{.host = host, .line = line, .referer = referer, .user_agent = user_agent};
    std::vector<char> room(httpd::log_line_max); // on the heap: there a sanitizer sees what is written beyond
    const auto written = httpd::format_log_line(entry, text(), std::span<char, httpd::log_line_max>(room));
    ASSERT_LE(written.size(), room.size());
    EXPECT_EQ(std::count(written.begin(), written.end(), '"'), 6);
    EXPECT_EQ(written.find('\n'), written.size() - 1);
    EXPECT_TRUE(std::all_of(written.begin(), written.end() - 1, [](char c) { return c >= ' ' && c <= '~'; }));
}

constexpr std::uint64_t rounds_by_default = 30'000;

TEST(http, any_bytes_cut_anywhere) { run_rounds(rounds_by_default, one_round); }
TEST(http, any_range_of_any_length) { run_rounds(rounds_by_default, range_round); }
TEST(http, any_conditions) { run_rounds(rounds_by_default, conditions_round); }
TEST(http, any_date) { run_rounds(rounds_by_default, date_round); }
TEST(http, any_bytes_in_the_log) { run_rounds(rounds_by_default, log_round); }

} // namespace
