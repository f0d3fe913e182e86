// The life of an open file, and what makes two statuses one version.
#include "cache/open_file.hpp"

#include "cache/file_version.hpp"
#include "httpd/cache_files.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace httpd {
namespace {

using test::descriptors;
using test::status_of;

TEST(open_file, is_closed_once_when_the_last_user_lets_go) {
    descriptors disk;
    file_ref first = disk.open(1);
    file_ref second = first; // NOLINT(performance-unnecessary-copy-initialization): a user
    EXPECT_EQ(first->users(), 2U);
    first.reset();
    EXPECT_EQ(disk.still_open(), 1U);
    EXPECT_EQ(second->status().st_ino, 1U);
    second.reset();
    EXPECT_EQ(disk.still_open(), 0U);
    EXPECT_EQ(disk.closed_wrongly(), 0);
}

TEST(open_file, hands_its_own_descriptor_to_the_closer) {
    std::vector<int> closed;
    const descriptor_closer closer = [&](int descriptor) { closed.push_back(descriptor); };
    { const file_ref file = new open_file(5, status_of(1), closer); }
    EXPECT_EQ(closed, std::vector{5});
}

TEST(open_file, shares_its_head_among_all_users) {
    descriptors disk;
    const file_ref first = disk.open(1);
    const file_ref second = first; // NOLINT(performance-unnecessary-copy-initialization): a user
    EXPECT_FALSE(first->head.has_value());
    second->head.emplace().about.length = 10;
    EXPECT_EQ(first->head->about.length, 10U);
}

TEST(file_version, changes_with_what_tells_another_content) {
    const auto base = status_of(1);
    const auto differs = [&](auto change) {
        auto other = base;
        change(other);
        return file_version(other) != file_version(base) &&
               hash_value(file_version(other)) != hash_value(file_version(base));
    };
    EXPECT_EQ(file_version(base), file_version(status_of(1)));
    EXPECT_TRUE(differs([](auto &status) { ++status.st_dev; }));
    EXPECT_TRUE(differs([](auto &status) { ++status.st_ino; }));
    EXPECT_TRUE(differs([](auto &status) { ++status.st_size; }));
    EXPECT_TRUE(differs([](auto &status) { ++status.st_mtim.tv_sec; }));
    EXPECT_TRUE(differs([](auto &status) { ++status.st_mtim.tv_nsec; }));
    EXPECT_TRUE(differs([](auto &status) { ++status.st_ctim.tv_sec; }));
    EXPECT_TRUE(differs([](auto &status) { ++status.st_ctim.tv_nsec; }));
}

TEST(file_version, does_not_change_with_being_read) {
    auto read = status_of(1);
    ++read.st_atim.tv_sec;
    EXPECT_EQ(file_version(read), file_version(status_of(1)));
}

TEST(file_version, holds_the_times_that_a_file_system_may_have) {
    auto late = status_of(1);
    late.st_mtim.tv_sec = std::numeric_limits<time_t>::max();
    EXPECT_NE(file_version(late), file_version(status_of(1)));
    EXPECT_EQ(file_version(late), file_version(late));
}

} // namespace
} // namespace httpd
