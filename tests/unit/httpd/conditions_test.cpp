// The order of RFC 9110 section 13.2.2, the two comparisons of entity tags, and what is ignored.
#include "http/conditions.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <string>

namespace httpd {
namespace {

using namespace std::string_literals;

constexpr std::time_t now = 1767225600;
const auto modified = "Sun, 06 Nov 1994 08:49:37 GMT"s; // 784111777
const auto earlier = "Sun, 06 Nov 1994 08:49:36 GMT"s;
const auto later = "Sun, 06 Nov 1994 08:49:38 GMT"s;
const auto tag = R"("64-3e8-7")"s;

representation file() {
    struct stat status {};
    status.st_mtim = {.tv_sec = 0, .tv_nsec = 100};
    status.st_size = 1000;
    status.st_ino = 7;
    auto found = describe("a", status, now);
    found.last_modified = 784111777;
    return found;
}

judgement judge_request(const std::string &method, const std::string &fields) {
    const auto head = method + " /a HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
    const auto asked = read_request(head, 0);
    EXPECT_EQ(asked.verdict, status::ok) << fields;
    return judge_conditions(asked, file(), now);
}

status get(const std::string &fields) { return judge_request("GET", fields).code; }

std::string field(const std::string &name, const std::string &value) { return name + ": " + value + "\r\n"; }

std::string if_match(const std::string &value) { return field("If-Match", value); }
std::string if_none_match(const std::string &value) { return field("if-none-match", value); }
std::string if_modified_since(const std::string &value) { return field("If-Modified-Since", value); }
std::string if_unmodified_since(const std::string &value) { return field("If-Unmodified-Since", value); }
std::string if_range(const std::string &value) { return field("If-Range", value); }
const auto range = "Range: bytes=0-9\r\n"s;
const auto tag_twice = R"("64-3e8-7", "64-3e8-7")"s;

TEST(conditions, that_are_not_there_hold) {
    ASSERT_EQ(file().tag.text(), tag);
    const auto found = judge_request("GET", "");
    EXPECT_EQ(found.code, status::ok);
    EXPECT_EQ(found.part.first, 0U);
    EXPECT_EQ(found.part.length, 1000U);
}

TEST(conditions, decide_what_is_sent_of_the_file) {
    EXPECT_EQ(judge_request("GET", "If-None-Match: x\r\n").part.length, 1000U);
    EXPECT_EQ(judge_request("GET", if_none_match(tag)).part.length, 0U);
    for (const auto &fields : {""s, range, if_none_match(tag)}) EXPECT_TRUE(sends_file(judge_request("GET", fields)));
    for (const auto &fields : {if_match("x"), "Range: bytes=1000-\r\n"s})
        EXPECT_FALSE(sends_file(judge_request("GET", fields)));
}

TEST(conditions, if_match_compares_strongly) {
    for (const auto &value : {"*"s, tag, "\"x\", " + tag, "W/\"x\" ,, " + tag + ",\"y\"", ",\t" + tag})
        EXPECT_EQ(get(if_match(value)), status::ok) << value;
    for (const auto &value : {R"("x")"s, "W/" + tag, "w/" + tag, ""s, R"("")"s, R"(* , "x")"s, tag.substr(1),
                              "\"64-3e8-7"s, "\"x\" " + tag, "x, " + tag})
        EXPECT_EQ(get(if_match(value)), status::precondition_failed) << value;
}

TEST(conditions, if_none_match_compares_weakly) {
    for (const auto &value : {"*"s, tag, "W/" + tag, "\"x\", W/" + tag, "\"a,b\"," + tag})
        EXPECT_EQ(get(if_none_match(value)), status::not_modified) << value;
    for (const auto &value : {R"("x")"s, ""s, "W/*"s, "64-3e8-7"s, "W/ " + tag})
        EXPECT_EQ(get(if_none_match(value)), status::ok) << value;
    EXPECT_EQ(judge_request("HEAD", if_none_match(tag)).code, status::not_modified);
}

TEST(conditions, lists_may_be_in_several_fields) {
    EXPECT_EQ(get(if_match("\"x\"") + if_none_match("\"y\"") + if_match(tag)), status::ok);
    EXPECT_EQ(get(if_match("\"x\"") + if_match("\"y\"")), status::precondition_failed);
    EXPECT_EQ(get(if_none_match("\"x\"") + if_none_match(tag)), status::not_modified);
}

TEST(conditions, dates_are_compared) {
    EXPECT_EQ(get(if_modified_since(earlier)), status::ok);
    EXPECT_EQ(get(if_modified_since(modified)), status::not_modified);
    EXPECT_EQ(get(if_modified_since(later)), status::not_modified);
    EXPECT_EQ(get(if_modified_since("Sunday, 06-Nov-94 08:49:37 GMT")), status::not_modified);
    EXPECT_EQ(get(if_unmodified_since(earlier)), status::precondition_failed);
    EXPECT_EQ(get(if_unmodified_since(modified)), status::ok);
    EXPECT_EQ(get(if_unmodified_since("Sun Nov  6 08:49:37 1994")), status::ok);
}

TEST(conditions, dates_that_are_none_are_ignored) {
    for (const auto &value : {""s, "yesterday"s, "Mon, 06 Nov 1994 08:49:37 GMT"s, tag}) {
        EXPECT_EQ(get(if_modified_since(value)), status::ok) << value;
        EXPECT_EQ(get(if_unmodified_since(value)), status::ok) << value;
    }
    EXPECT_EQ(get(if_modified_since(later) + if_modified_since(later)), status::ok);
    EXPECT_EQ(get(if_unmodified_since(earlier) + if_unmodified_since(earlier)), status::ok);
}

TEST(conditions, are_evaluated_in_their_order) {
    EXPECT_EQ(get(if_none_match(tag) + if_match("\"x\"")), status::precondition_failed);
    EXPECT_EQ(get(if_match(tag) + if_unmodified_since(earlier)), status::ok); // the date is not asked
    EXPECT_EQ(get(if_match(tag) + if_none_match(tag)), status::not_modified);
    EXPECT_EQ(get(if_unmodified_since(later) + if_modified_since(later)), status::not_modified);
    EXPECT_EQ(get(if_unmodified_since(earlier) + if_none_match(tag)), status::precondition_failed);
    EXPECT_EQ(get(if_none_match("\"x\"") + if_modified_since(later)), status::ok); // nor here
    EXPECT_EQ(get(range + if_none_match(tag)), status::not_modified);
    EXPECT_EQ(get(range + if_match("\"x\"")), status::precondition_failed);
    EXPECT_EQ(get("Range: bytes=1000-\r\n" + if_match("\"x\"")), status::precondition_failed);
}

TEST(conditions, ranges_are_for_get) {
    const auto found = judge_request("GET", "Range: bytes=10-19\r\n");
    EXPECT_EQ(found.code, status::partial_content);
    EXPECT_EQ(found.part.first, 10U);
    EXPECT_EQ(found.part.length, 10U);
    EXPECT_EQ(get("Range: bytes=1000-\r\n"), status::range_not_satisfiable);
    EXPECT_EQ(get("Range: bytes=0-1,3-4\r\n"), status::ok);
    EXPECT_EQ(get(range + range), status::ok);
    EXPECT_EQ(judge_request("HEAD", range).code, status::ok);
    EXPECT_EQ(judge_request("HEAD", "Range: bytes=1000-\r\n").code, status::ok);
}

TEST(conditions, if_range_says_whether_the_range_counts) {
    for (const auto &value : {tag, modified, "Sunday, 06-Nov-94 08:49:37 GMT"s})
        EXPECT_EQ(get(if_range(value) + range), status::partial_content) << value;
    for (const auto &value : {"W/" + tag, R"("x")"s, "*"s, ""s, tag_twice, earlier, later, "soon"s}) {
        EXPECT_EQ(get(range + if_range(value)), status::ok) << value;
        EXPECT_EQ(get("Range: bytes=1000-\r\n" + if_range(value)), status::ok) << value;
    }
    EXPECT_EQ(get(range + if_range(tag) + if_range(tag)), status::ok);
    EXPECT_EQ(get(if_range(tag)), status::ok); // without a Range it says nothing
}

} // namespace
} // namespace httpd
