#include "http/entity_tag.hpp"

#include "http/representation.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <limits>
#include <string>

namespace httpd {
namespace {

struct stat file(std::time_t seconds, long nanoseconds, long size, unsigned long inode) {
    struct stat status {};
    status.st_mtim = {.tv_sec = seconds, .tv_nsec = nanoseconds};
    status.st_size = size;
    status.st_ino = inode;
    return status;
}

std::string tag_of(const struct stat &status) { return std::string(entity_tag(status).text()); }

TEST(entity_tag, is_three_numbers_in_quotes) {
    EXPECT_EQ(tag_of(file(0, 255, 4096, 10)), "\"ff-1000-a\"");
    EXPECT_EQ(tag_of(file(1, 0, 0, 0)), "\"3b9aca00-0-0\"");
    EXPECT_EQ(entity_tag().text(), "");
}

TEST(entity_tag, is_another_one_when_anything_changed) {
    const auto before = tag_of(file(1000, 5, 7, 9));
    EXPECT_EQ(tag_of(file(1000, 5, 7, 9)), before);
    EXPECT_NE(tag_of(file(1001, 5, 7, 9)), before);
    EXPECT_NE(tag_of(file(1000, 6, 7, 9)), before);
    EXPECT_NE(tag_of(file(1000, 5, 8, 9)), before);
    EXPECT_NE(tag_of(file(1000, 5, 7, 10)), before);
}

TEST(entity_tag, has_room_for_any_file) {
    const auto largest = tag_of(file(-1, 999999999, std::numeric_limits<long>::max(), ~0UL));
    EXPECT_EQ(largest.size(), 52U);
    EXPECT_EQ(largest.substr(17), "-7fffffffffffffff-ffffffffffffffff\"");
    EXPECT_EQ(tag_of(file(std::numeric_limits<std::time_t>::min(), 0, 0, 0)).back(), '"');
}

TEST(entity_tag, survives_a_copy) {
    const entity_tag tag(file(1000, 5, 7, 9));
    const auto copy = tag; // NOLINT(performance-unnecessary-copy-initialization): it is what is tested
    EXPECT_EQ(copy.text(), tag.text());
    EXPECT_NE(copy.text().data(), tag.text().data());
}

TEST(representation, says_what_the_file_is) {
    const auto found = describe("a/b.png", file(1000, 5, 7, 9), 2000);
    EXPECT_EQ(found.media_type, "image/png");
    EXPECT_EQ(found.length, 7U);
    EXPECT_EQ(found.last_modified, 1000);
    EXPECT_EQ(found.tag.text(), tag_of(file(1000, 5, 7, 9)));
}

TEST(representation, is_not_from_the_future) {
    EXPECT_EQ(describe("a", file(3000, 5, 7, 9), 2000).last_modified, 2000);
}

} // namespace
} // namespace httpd
