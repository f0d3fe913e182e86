#include "trace/access_log.hpp"

#include "trace/input_error.hpp"
#include "trace/log_line.hpp"
#include "trace/text_format.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <sstream>

namespace {

using replay::parse_log_line;

std::string line(const std::string &host, int second, const std::string &request, int status = 200) {
    return fmt::format("{} - - [23/Nov/2026:09:{:02}:{:02} +0100] \"{}\" {} 5\n", host, second / 60, second % 60,
                       request, status);
}

struct reading {
    std::string text{}; // in our own format
    replay::left_out not_taken{};
    std::string error{};
};

reading read(const std::string &log, int gap_s = 15) {
    reading made;
    std::istringstream in(log);
    try {
        std::ostringstream out;
        replay::write_text(replay::read_access_log(in, "log", std::chrono::seconds(gap_s), made.not_taken), out);
        made.text = out.str();
    } catch (const replay::input_error &error) { made.error = error.what(); }
    return made;
}

TEST(log_line, has_the_time_in_seconds) {
    const auto time = [](const std::string &date) {
        const auto entry = parse_log_line("h - - [" + date + "] \"GET / HTTP/1.1\" 200 5");
        return entry ? entry->time_s : -1;
    };
    EXPECT_EQ(time("01/Jan/1970:00:00:00 +0000"), 0);
    EXPECT_EQ(time("23/Nov/2026:09:05:06 +0000"), 1795424706);
    EXPECT_EQ(time("23/Nov/2026:09:05:06 +0130"), 1795424706 - 5400);
    EXPECT_EQ(time("23/Nov/2026:09:05:06 -0130"), 1795424706 + 5400);
    EXPECT_EQ(time("29/Feb/2024:00:00:00 +0000"), 1709164800);
    for (const char *wrong : {"29/Feb/2023:00:00:00 +0000", "1/Jan/1970:00:00:00 +0000", "01/Foo/1970:00:00:00 +0000",
                              "01/Jan/1969:00:00:00 +0000", "01/Jan/2201:00:00:00 +0000", "01/Jan/1970:24:00:00 +0000",
                              "01/Jan/1970:00:60:00 +0000", "01/Jan/1970 00:00:00 +0000", "01/Jan/1970:00:00:00",
                              "01/Jan/1970:00:-1:00 +0000", "01/Jan/1970:00:00:00 0000"})
        EXPECT_EQ(time(wrong), -1) << wrong;
}

TEST(log_line, has_a_path_that_a_trace_can_hold) {
    const auto path = [](const std::string &request) {
        const auto entry =
            parse_log_line("h - - [01/Jan/1970:00:00:00 +0000] \"" + request + R"(" 200 5 "-" "a \" b")");
        return entry ? entry->path : "none";
    };
    EXPECT_EQ(path("GET /a/b?c HTTP/1.1"), "/a/b?c");
    EXPECT_EQ(path("GET /a"), "/a"); // HTTP/0.9
    EXPECT_EQ(path("GET http://host:80/a HTTP/1.1"), "/a");
    EXPECT_EQ(path("GET https://host HTTP/1.1"), "/");
    EXPECT_EQ(path("GET /a b\\tc HTTP/1.1"), "/a%20b%09c");
    EXPECT_EQ(path("GET /\\x22\\\"\\xc3\\xA4 HTTP/1.1"), "/\"\"%C3%A4");
    EXPECT_EQ(path("GET * HTTP/1.1"), "none");
    EXPECT_EQ(path("GET"), "none");
    EXPECT_EQ(path("GET /" + std::string(9000, 'x')), "none");
    EXPECT_EQ(path("POST /a HTTP/1.1"), ""); // is one, but of no interest
}

TEST(log_line, is_not_just_any_line) {
    for (const char *wrong :
         {"", " ", "-", "h", "h - - [01/Jan/1970:00:00:00 +0000]",
          "h - - [01/Jan/1970:00:00:00 +0000] \"GET / HTTP/1.1\"",
          "h - - [01/Jan/1970:00:00:00 +0000] \"GET / HTTP/1.1\" 20 5",
          "h - - [01/Jan/1970:00:00:00 +0000] \"GET / 200 5",
          "h - - [01/Jan/1970:00:00:00 +0000] \"GET / HTTP/1.1\" 2000 5",
          " [01/Jan/1970:00:00:00 +0000] \"GET /\" 200 5", "h [01/Jan/1970:00:00:00 +0000] \"GET /\" 999 5"})
        EXPECT_FALSE(parse_log_line(wrong)) << wrong;
    EXPECT_TRUE(parse_log_line("h - a [b] c [01/Jan/1970:00:00:00 +0000] \"GET /\" 200 5") == std::nullopt);
    EXPECT_TRUE(parse_log_line("h - a user [01/Jan/1970:00:00:00 +0000] \"GET /\" 200 -"));
}

TEST(access_log, a_pause_ends_a_clients_sequence) {
    const std::string log = line("a", 10, "GET /1 HTTP/1.1") + line("b", 12, "GET /2 HTTP/1.1") +
                            line("a", 25, "GET /3 HTTP/1.1") + line("a", 41, "GET /4 HTTP/1.1");
    EXPECT_EQ(read(log).text, "@0 /1 /3\n@2 /2\n@31 /4\n");
    EXPECT_EQ(read(log, 16).text, "@0 /1 /3 /4\n@2 /2\n");
    EXPECT_EQ(read(log, 0).text, "@0 /1\n@2 /2\n@15 /3\n@31 /4\n");
}

TEST(access_log, may_be_of_centuries) {
    EXPECT_EQ(read("a - - [01/Jan/1970:00:00:00 +0000] \"GET /1\" 200 5\n"
                   "a - - [31/Dec/2200:23:59:59 +0000] \"GET /2\" 200 5\n")
                  .text,
              "@0 /1\n@7289654399 /2\n");
}

TEST(access_log, times_may_go_back) {
    EXPECT_EQ(
        read(line("a", 30, "GET /1 HTTP/1.1") + line("a", 20, "GET /2 HTTP/1.1") + line("b", 10, "GET /3 HTTP/1.1"))
            .text,
        "@0 /3\n@10 /1 /2\n");
}

TEST(access_log, what_is_left_out_is_counted) {
    const auto made = read(line("a", 1, "POST /1 HTTP/1.1") + line("a", 1, "GET /2 HTTP/1.1", 404) + "damaged\n" +
                           line("a", 1, "GET /3 HTTP/1.1", 304) + line("a", 1, "GET /4 HTTP/1.1", 206) + "\n" +
                           line("a", 1, "GET /5 HTTP/1.1", 301) + line("a", 1, "HEAD /6 HTTP/1.1"));
    EXPECT_EQ(made.text, "@0 /3 /4\n");
    EXPECT_EQ(made.not_taken.other_methods, 2U);
    EXPECT_EQ(made.not_taken.other_statuses, 2U);
    EXPECT_EQ(made.not_taken.broken_lines, 2U);
    EXPECT_EQ(made.not_taken.first_broken_line, 3U);
    EXPECT_EQ(fmt::format("{}", made.not_taken.phrases().back()), "2 broken lines (the first is line 3)");
}

TEST(access_log, one_without_anything_to_take_is_an_error) {
    EXPECT_EQ(read("x\ny\n").error, "log: no line of it is one of an access log");
    EXPECT_EQ(read("").error, "log: no line of it is one of an access log");
    EXPECT_EQ(read(line("a", 1, "POST /1 HTTP/1.1")).error, "log: no GET in it that was answered with 2xx or 304");
}

} // namespace
