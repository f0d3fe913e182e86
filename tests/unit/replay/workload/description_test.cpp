#include "workload/description.hpp"

#include "trace/input_error.hpp"
#include "trace/text_format.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace {

using replay::find_in_list;
using replay::size_class;

replay::trace trace_of(const std::string &text) {
    std::istringstream in(text);
    return replay::read_text(in, "trace");
}

std::vector<replay::listed_file> list_of(const std::string &text) {
    std::istringstream in(text);
    return replay::read_file_list(in, "files");
}

TEST(description, counts_what_is_transferred) {
    const auto files = list_of("8192 /a\n8193 /b\n262144 /c\n262145 /d\n7 /never\n0 /empty\n");
    const auto made = describe(trace_of("/a /b /a\n/c /d /gone?x\n/gone?x /empty /a?y\n"), find_in_list(files));
    EXPECT_EQ(made.requests, 9U);
    EXPECT_EQ(made.requests_without_file, 2U);
    EXPECT_EQ(made.files, 5U); // /a and /a?y are one
    EXPECT_EQ(made.footprint_bytes, 8192U + 8193 + 262'144 + 262'145);
    EXPECT_EQ(made.transferred_bytes, 3 * 8192U + 8193 + 262'144 + 262'145);
    EXPECT_EQ(made.transferred_by_class[0], 3 * 8192U);
    EXPECT_EQ(made.transferred_by_class[1], 8193U + 262'144);
    EXPECT_EQ(made.transferred_by_class[2], 262'145U);
    EXPECT_EQ(made.largest_file_bytes, 262'145U);
    EXPECT_EQ(made.sequences, 3U);
    EXPECT_EQ(made.sequence_mean(), 3);
}

TEST(description, knows_lengths_of_sequences) {
    std::string text;
    for (int length = 1; length <= 100; ++length) {
        for (int i = 0; i < length; ++i) text += "/a ";
        text.back() = '\n';
    }
    const auto made = describe(trace_of(text), find_in_list({}));
    EXPECT_EQ(made.sequence_mean(), 50.5);
    EXPECT_EQ(made.sequence_median, 50U);
    EXPECT_EQ(made.sequence_p99, 99U);
    EXPECT_EQ(made.sequence_longest, 100U);
    EXPECT_EQ(made.mean_transfer_bytes(), 0);                                           // no file exists
    EXPECT_EQ(describe(trace_of("/a\n/a /a /a\n"), find_in_list({})).sequence_p99, 3U); // of two: the second
}

TEST(description, fits_the_exponent_of_popularity) {
    std::string text;
    for (int rank = 1; rank <= 200; ++rank)
        for (int i = 0; i < static_cast<int>(20'000 * std::pow(rank, -0.8)); ++i)
            text += "/" + std::to_string(rank) + "\n";
    const auto made = describe(trace_of(text), find_in_list({}));
    ASSERT_TRUE(made.zipf_exponent);
    EXPECT_NEAR(*made.zipf_exponent, 0.8, 0.01);
    EXPECT_FALSE(describe(trace_of("/a /b /c\n"), find_in_list({})).zipf_exponent);
}

TEST(description, knows_what_share_the_most_popular_have) {
    std::string text;
    for (int i = 0; i < 901; ++i) text += "/hot\n";
    for (int i = 0; i < 99; ++i) text += "/" + std::to_string(i) + "\n";
    const auto made = describe(trace_of(text), find_in_list({}));
    EXPECT_EQ(made.top_1_percent_share, 0.901);
    EXPECT_EQ(made.top_10_percent_share, 0.910);
    EXPECT_EQ(made.requested_once_share, 0.99);
}

TEST(description, knows_a_file_by_any_of_its_paths) {
    const auto text = "/a/ /a /a/index.html /a/index.htm%6c?x\n/gone /gone?x /%67one\n/%zz /%zz\n";
    const auto made = describe(trace_of(text), find_in_list(list_of("10 /a/index.html\n")));
    EXPECT_EQ(made.files, 1U);
    EXPECT_EQ(made.footprint_bytes, 10U);
    EXPECT_EQ(made.transferred_bytes, 40U);
    EXPECT_EQ(made.requests_without_file, 5U);
    EXPECT_EQ(made.requested_once_share, 0);              // of three
    EXPECT_DOUBLE_EQ(made.top_10_percent_share, 4.0 / 9); // the most popular one of them
}

TEST(description, has_everything_in_json) {
    const auto made = replay::to_json(describe(trace_of("/a\n"), find_in_list(list_of("10000 /a\n"))));
    EXPECT_EQ(made.at("medium_share"), 1);
    EXPECT_EQ(made.at("footprint_bytes"), 10'000);
    EXPECT_TRUE(made.at("zipf_exponent").is_null());
    EXPECT_NE(replay::to_text(describe(trace_of("/a\n"), find_in_list({}))).find("without a file       1 (100.0 %)"),
              std::string::npos);
}

class tree : public testing::Test {
protected:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "laio-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder = name;
        std::filesystem::create_directory(folder / "sub");
        std::ofstream(folder / "a b") << "12345";
        std::ofstream(folder / "sub" / "index.html") << "1234567";
    }
    void TearDown() override { std::filesystem::remove_all(folder); }

    std::filesystem::path folder;
};

TEST_F(tree, is_asked_as_a_server_asks_it) {
    const auto find = replay::find_in_tree(folder.string());
    const auto same = replay::find_in_list(list_of("5 /a b\n7 /sub/index.html\n"));
    for (const auto &asked : {find, same}) {
        EXPECT_EQ(asked("/a%20b").value().bytes, 5U);
        EXPECT_EQ(asked("/a%20b?query=/x").value().bytes, 5U);
        EXPECT_EQ(asked("/sub/").value().bytes, 7U);
        EXPECT_EQ(asked("/sub").value().bytes, 7U);
        EXPECT_EQ(asked("/sub/index.html").value().bytes, 7U);
        EXPECT_EQ(asked("/sub").value().identity, asked("/sub/index.html?x").value().identity);
        EXPECT_NE(asked("/sub").value().identity, asked("/a%20b").value().identity);
        EXPECT_FALSE(asked("/"));
        EXPECT_FALSE(asked("/c"));
        EXPECT_FALSE(asked("/a%2"));
        EXPECT_FALSE(asked("/a%zz"));
        EXPECT_FALSE(asked("/a%00"));
    }
    EXPECT_THROW(replay::find_in_tree((folder / "a b").string()), replay::input_error);
    EXPECT_THROW(replay::find_in_tree((folder / "none").string()), replay::input_error);
}

TEST(file_list, is_read_as_it_was_written) {
    const std::vector<replay::listed_file> files = {{5, "/a b"}, {0, "/c"}, {18'446'744'073'709'551'615U, "/"}};
    std::ostringstream out;
    replay::write_file_list(files, out);
    EXPECT_EQ(list_of("# sizes\n\n" + out.str()), files);
    for (const char *wrong :
         {"5\n", "5 \n", "5 a\n", " 5 /a\n", "-5 /a\n", "5  /a\n", "x /a\n", "18446744073709551616 /a\n"})
        EXPECT_THROW(list_of(wrong), replay::input_error) << wrong;
    EXPECT_THROW(list_of("1 /" + std::string(8192, 'x')), replay::input_error);
}

} // namespace
