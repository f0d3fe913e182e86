#include "tree/listing.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <utility>
#include <vector>

namespace {

using listed = std::vector<std::pair<std::string, std::uint64_t>>;

listed read(const std::string &text) {
    listed found;
    std::istringstream from(text);
    slowfs::read_listing(from, "list",
                         [&found](const slowfs::listed_file &file) { found.emplace_back(file.path, file.bytes); });
    return found;
}

std::string complaint(const std::string &text) {
    try {
        read(text);
    } catch (const slowfs::listing_error &error) { return error.what(); }
    return "";
}

TEST(listing, is_sizes_and_paths) {
    EXPECT_EQ(read(""), listed{});
    EXPECT_EQ(read("# made by hand\n\n5 /a\n0 /b c/d\n1125899906842624 /%41\n7 /last"),
              (listed{{"/a", 5}, {"/b c/d", 0}, {"/%41", std::uint64_t{1} << 50U}, {"/last", 7}}));
}

TEST(listing, names_the_line_that_is_wrong) {
    EXPECT_EQ(complaint("1 /a\n\n/b\n"), "list:3: it is not SIZE PATH");
    EXPECT_EQ(complaint("1125899906842625 /a"), "list:1: the size is above 1125899906842624");
    EXPECT_EQ(complaint("99999999999999999999 /a"), "list:1: the size is above 1125899906842624");
    for (const auto *text : {" 1 /a", "1", "1 ", "1  /a", "-1 /a", "1\t/a", "1 a", "1.5 /a", "1 /a//b", "1 /a/", "1 /",
                             "1 /./a", "1 /a/..", "0x1 /a"})
        EXPECT_NE(complaint(text), "") << text;
}

TEST(listing, has_limits) {
    const std::string name(255, 'n');
    std::string path;
    while (path.size() < 8192) path += "/" + name;
    ASSERT_EQ(path.size(), 8192U);
    EXPECT_EQ(read("1 " + path).size(), 1U);
    EXPECT_EQ(complaint("1 " + path + "x"), "list:1: the path is longer than 8192 bytes");
    EXPECT_EQ(complaint("1 /" + name + "x"), "list:1: the path contains a name of more than 255 bytes");
    EXPECT_EQ(complaint("1 /a\n1 /" + std::string(100'000, 'x')), "list:2: the line is too long");
    EXPECT_EQ(complaint(std::string("1 /a\0b", 6)), "list:1: the path contains a zero byte");
}

TEST(listing, names_the_line_that_nobody_wants) {
    std::istringstream from("1 /a\n1 /a\n");
    int calls = 0;
    EXPECT_THROW(slowfs::read_listing(from, "list",
                                      [&calls](const slowfs::listed_file &) {
                                          if (++calls == 2) throw std::invalid_argument("there is one");
                                      }),
                 slowfs::listing_error);
}

} // namespace
