// The cache of names: every rule by itself. name_cache_model_test.cpp has all of them at once.
#include "cache/name_cache.hpp"

#include "httpd/cache_files.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

namespace httpd {
namespace {

using knowledge = name_cache::knowledge;
using std::chrono::milliseconds;
using test::descriptors;
using test::ms;
using test::status_of;

class name_cache_rules : public testing::Test {
protected:
    static cache_limits limits() {
        cache_limits small;
        small.files_max = 3;
        small.negative_names_max = 2;
        small.name_bytes_max = 20;
        small.valid = milliseconds(1000);
        small.idle = milliseconds(60000);
        return small;
    }

    void add(const char *name, ino_t inode, std::int64_t now_ns = 0) { cache.insert(name, disk.open(inode), now_ns); }
    ino_t inode_of(const char *name, std::int64_t now_ns = 0) {
        const auto found = cache.find(name, now_ns);
        return found.file ? found.file->status().st_ino : 0;
    }
    int error_of(const char *name, std::int64_t now_ns = 0) { return cache.find(name, now_ns).error; }
    void TearDown() override { EXPECT_EQ(disk.closed_wrongly(), 0); }

    descriptors disk; // outlives the cache
    name_cache cache{limits()};
};

TEST_F(name_cache_rules, knows_nothing_at_first) {
    const auto found = cache.find("a", 0);
    EXPECT_EQ(found.known, knowledge::none);
    EXPECT_EQ(found.file, nullptr);
    EXPECT_EQ(cache.statistics().misses, 1U);
}

TEST_F(name_cache_rules, finds_a_file_by_its_whole_name) {
    add("a/b", 1);
    add("a/c", 2);
    EXPECT_EQ(inode_of("a/b"), 1U);
    EXPECT_EQ(inode_of("a/c"), 2U);
    EXPECT_EQ(inode_of("a/"), 0U);
    EXPECT_EQ(inode_of(""), 0U);
    EXPECT_EQ(cache.statistics().hits, 2U);
}

TEST_F(name_cache_rules, takes_any_bytes_for_a_name) {
    using namespace std::string_view_literals;
    cache.insert(""sv, disk.open(1), 0);
    cache.insert("a\0b"sv, disk.open(2), 0);
    EXPECT_EQ(cache.find("", 0).file->status().st_ino, 1U);
    EXPECT_EQ(cache.find("a\0b"sv, 0).file->status().st_ino, 2U);
    EXPECT_EQ(cache.find("a"sv, 0).known, knowledge::none);
}

TEST_F(name_cache_rules, a_file_is_fresh_until_the_time_is_over_and_stale_from_there) {
    add("a", 1, 5 * ms);
    EXPECT_EQ(cache.find("a", 1005 * ms - 1).known, knowledge::fresh);
    const auto found = cache.find("a", 1005 * ms);
    EXPECT_EQ(found.known, knowledge::stale);
    EXPECT_EQ(found.file->status().st_ino, 1U) << "or the owner could not compare";
    EXPECT_EQ(cache.statistics().hits, 1U);
    EXPECT_EQ(cache.statistics().stale, 1U);
}

TEST_F(name_cache_rules, being_used_does_not_keep_a_file_fresh) {
    add("a", 1);
    for (std::int64_t i = 0; i < 10; ++i) EXPECT_EQ(cache.find("a", i * 100 * ms).known, knowledge::fresh);
    EXPECT_EQ(cache.find("a", 1000 * ms).known, knowledge::stale);
}

TEST_F(name_cache_rules, an_unchanged_file_is_renewed_and_keeps_its_descriptor) {
    add("a", 1);
    const int descriptor = cache.find("a", 0).file->descriptor();
    EXPECT_TRUE(cache.renew("a", status_of(1), 1500 * ms));
    const auto found = cache.find("a", 2499 * ms);
    EXPECT_EQ(found.known, knowledge::fresh);
    EXPECT_EQ(found.file->descriptor(), descriptor);
    EXPECT_EQ(cache.find("a", 2500 * ms).known, knowledge::stale);
}

TEST_F(name_cache_rules, a_changed_file_is_dropped_and_closed) {
    add("a", 1);
    EXPECT_FALSE(cache.renew("a", status_of(2), 1500 * ms));
    EXPECT_EQ(disk.still_open(), 0U);
    EXPECT_EQ(cache.find("a", 1500 * ms).known, knowledge::none);
    add("b", 3);
    EXPECT_FALSE(cache.renew("b", status_of(3, 11), 1500 * ms)) << "as long as before it is not";
    EXPECT_EQ(cache.statistics().changed, 2U);
}

TEST_F(name_cache_rules, what_is_not_known_as_a_file_cannot_be_renewed) {
    cache.insert("gone", ENOENT, 0);
    EXPECT_FALSE(cache.renew("gone", status_of(1), 0));
    EXPECT_FALSE(cache.renew("never", status_of(1), 0));
    EXPECT_EQ(error_of("gone"), ENOENT);
}

TEST_F(name_cache_rules, a_changed_file_lives_on_with_its_users) {
    add("a", 1);
    auto user = cache.find("a", 0).file;
    cache.renew("a", status_of(2), 0);
    EXPECT_TRUE(disk.is_open(user->descriptor()));
    user.reset();
    EXPECT_EQ(disk.still_open(), 0U);
}

TEST_F(name_cache_rules, errors_are_told_while_they_are_fresh_and_forgotten_then) {
    cache.insert("gone", ENOENT, 0);
    cache.insert("folder", EISDIR, 0);
    EXPECT_EQ(error_of("gone", 999 * ms), ENOENT);
    EXPECT_EQ(error_of("folder", 999 * ms), EISDIR);
    EXPECT_EQ(cache.find("gone", 999 * ms).known, knowledge::fresh);
    EXPECT_EQ(cache.find("gone", 1000 * ms).known, knowledge::none);
    EXPECT_EQ(cache.statistics().negative_entries, 1U);
    EXPECT_EQ(cache.statistics().negative_hits, 3U);
}

TEST_F(name_cache_rules, errors_of_the_machine_are_not_remembered) {
    for (const int error : {EMFILE, ENFILE, ENOMEM, EIO, EAGAIN, EINTR, ESTALE, ETIMEDOUT, 0}) {
        cache.insert("a", error, 0);
        EXPECT_EQ(cache.find("a", 0).known, knowledge::none) << error;
    }
    for (const int error : {ENOENT, ENOTDIR, EISDIR, EACCES, EPERM, ELOOP, ENAMETOOLONG, EXDEV, ENXIO, ENODEV}) {
        cache.insert("a", error, 0);
        EXPECT_EQ(error_of("a"), error);
    }
}

TEST_F(name_cache_rules, the_latest_answer_replaces_the_one_before) {
    add("a", 1);
    add("a", 2);
    EXPECT_EQ(inode_of("a"), 2U);
    EXPECT_EQ(disk.still_open(), 1U);
    cache.insert("a", ENOENT, 0);
    EXPECT_EQ(error_of("a"), ENOENT);
    EXPECT_EQ(disk.still_open(), 0U);
    add("a", 3);
    EXPECT_EQ(inode_of("a"), 3U);
    EXPECT_EQ(cache.statistics().entries, 1U);
    cache.insert("a", EIO, 0);
    EXPECT_EQ(cache.find("a", 0).known, knowledge::none) << "the disk could not say that it is still there";
}

TEST_F(name_cache_rules, the_file_unused_for_longest_makes_room) {
    add("a", 1);
    add("b", 2);
    add("c", 3);
    EXPECT_EQ(inode_of("a"), 1U);
    add("d", 4);
    EXPECT_EQ(inode_of("b"), 0U);
    EXPECT_EQ(inode_of("a"), 1U);
    EXPECT_EQ(inode_of("c"), 3U);
    EXPECT_EQ(inode_of("d"), 4U);
    EXPECT_EQ(disk.still_open(), 3U);
    EXPECT_EQ(cache.statistics().evicted, 1U);
}

TEST_F(name_cache_rules, a_stale_file_that_is_asked_for_is_in_use) {
    add("a", 1);
    add("b", 2);
    add("c", 3);
    EXPECT_EQ(cache.find("a", 5000 * ms).known, knowledge::stale);
    add("d", 4, 5000 * ms);
    EXPECT_EQ(cache.find("a", 5000 * ms).known, knowledge::stale);
    EXPECT_EQ(cache.find("b", 5000 * ms).known, knowledge::none);
}

TEST_F(name_cache_rules, a_flood_of_names_that_do_not_exist_puts_out_no_file) {
    add("a", 1);
    add("b", 2);
    add("c", 3);
    for (int i = 0; i < 1000; ++i) {
        const auto name = "random" + std::to_string(i);
        EXPECT_EQ(cache.find(name, 0).known, knowledge::none);
        cache.insert(name, ENOENT, 0);
    }
    EXPECT_EQ(inode_of("a"), 1U);
    EXPECT_EQ(inode_of("b"), 2U);
    EXPECT_EQ(inode_of("c"), 3U);
    EXPECT_EQ(cache.statistics().negative_entries, 2U);
    EXPECT_EQ(error_of("random998"), ENOENT);
    EXPECT_EQ(error_of("random999"), ENOENT);
}

TEST_F(name_cache_rules, the_error_unused_for_longest_makes_room) {
    cache.insert("a", ENOENT, 0);
    cache.insert("b", ENOENT, 0);
    EXPECT_EQ(error_of("a"), ENOENT);
    cache.insert("c", ENOENT, 0);
    EXPECT_EQ(error_of("b"), 0);
    EXPECT_EQ(error_of("a"), ENOENT);
    EXPECT_EQ(cache.statistics().evicted, 1U);
}

TEST_F(name_cache_rules, a_long_name_is_not_remembered_and_its_file_is_closed) {
    const std::string longest(20, 'x');
    const std::string longer(21, 'x');
    cache.insert(longest, disk.open(1), 0);
    cache.insert(longer, disk.open(2), 0);
    EXPECT_EQ(disk.still_open(), 1U);
    EXPECT_EQ(cache.find(longest, 0).known, knowledge::fresh);
    EXPECT_EQ(cache.find(longer, 0).known, knowledge::none);
    EXPECT_FALSE(cache.renew(longer, status_of(2), 0));
    cache.insert(longer, ENOENT, 0);
    EXPECT_EQ(cache.statistics().entries, 1U);
}

TEST_F(name_cache_rules, without_room_it_remembers_nothing) {
    auto none = limits();
    none.files_max = 0;
    none.negative_names_max = 0;
    name_cache off(none);
    off.insert("a", disk.open(1), 0);
    off.insert("b", ENOENT, 0);
    EXPECT_EQ(off.statistics().entries, 0U);
    EXPECT_EQ(disk.still_open(), 0U);
    EXPECT_EQ(off.find("a", 0).known, knowledge::none);
    EXPECT_FALSE(off.expire(0));
    EXPECT_EQ(off.shrink(1), 0U);
}

TEST_F(name_cache_rules, without_time_every_file_has_to_be_validated) {
    auto strict = limits();
    strict.valid = milliseconds(0);
    name_cache careful(strict);
    careful.insert("a", disk.open(1), 0);
    careful.insert("b", ENOENT, 0);
    EXPECT_EQ(careful.find("a", 0).known, knowledge::stale);
    EXPECT_EQ(careful.find("b", 0).known, knowledge::none);
}

TEST_F(name_cache_rules, unused_files_go_after_their_time_and_used_ones_stay) {
    add("a", 1);
    add("b", 2);
    EXPECT_EQ(inode_of("a", 100 * ms), 1U);
    EXPECT_FALSE(cache.expire(60000 * ms - 1));
    EXPECT_EQ(disk.still_open(), 2U);
    EXPECT_FALSE(cache.expire(60000 * ms));
    EXPECT_EQ(disk.still_open(), 1U);
    EXPECT_EQ(cache.statistics().expired, 1U);
    EXPECT_EQ(inode_of("a", 60000 * ms), 1U);
}

TEST_F(name_cache_rules, errors_go_as_soon_as_they_are_stale) {
    cache.insert("gone", ENOENT, 0);
    cache.expire(1000 * ms - 1);
    EXPECT_EQ(cache.statistics().entries, 1U);
    cache.expire(1000 * ms);
    EXPECT_EQ(cache.statistics().entries, 0U);
}

TEST_F(name_cache_rules, what_is_over_goes_in_portions) {
    auto large = limits();
    large.files_max = 100;
    large.negative_names_max = 100;
    name_cache many(large);
    for (int i = 0; i < 40; ++i) many.insert("f" + std::to_string(i), disk.open(1), 0);
    for (int i = 0; i < 40; ++i) many.insert("e" + std::to_string(i), ENOENT, 0);
    EXPECT_TRUE(many.expire(60000 * ms));
    EXPECT_EQ(disk.still_open(), 40 - expired_at_once);
    EXPECT_TRUE(many.expire(60000 * ms));
    EXPECT_EQ(many.statistics().entries, 80 - 2 * expired_at_once);
    EXPECT_FALSE(many.expire(60000 * ms));
    EXPECT_EQ(many.statistics().entries, 0U);
}

TEST_F(name_cache_rules, shrinking_gives_up_what_nobody_holds_the_oldest_first) {
    add("a", 1);
    add("b", 2);
    add("c", 3);
    const auto user = cache.find("a", 0).file;
    EXPECT_EQ(inode_of("b"), 2U); // the order is c, a, b
    EXPECT_EQ(cache.shrink(1), 1U);
    EXPECT_EQ(inode_of("c"), 0U);
    EXPECT_EQ(cache.shrink(5), 1U) << "a is in use: no descriptor would come free";
    EXPECT_EQ(inode_of("a"), 1U);
    EXPECT_EQ(inode_of("b"), 0U);
    EXPECT_EQ(cache.shrink(5), 0U);
    EXPECT_EQ(cache.statistics().evicted, 2U);
    EXPECT_EQ(disk.still_open(), 1U);
}

TEST_F(name_cache_rules, forgets_what_it_is_told_to) {
    add("a", 1);
    cache.insert("b", ENOENT, 0);
    cache.forget("a");
    cache.forget("b");
    cache.forget("c");
    EXPECT_EQ(cache.statistics().entries, 0U);
    EXPECT_EQ(disk.still_open(), 0U);
}

TEST_F(name_cache_rules, what_it_holds_goes_with_it_but_for_what_is_in_use) {
    file_ref user;
    {
        name_cache another(limits());
        another.insert("a", disk.open(1), 0);
        another.insert("b", disk.open(2), 0);
        user = another.find("b", 0).file;
    }
    EXPECT_EQ(disk.still_open(), 1U);
    user.reset();
    EXPECT_EQ(disk.still_open(), 0U);
}

TEST_F(name_cache_rules, counts_the_bytes_that_it_holds) {
    add("a", 1);
    const auto one = cache.statistics().bytes;
    EXPECT_GT(one, 0U);
    cache.insert("b", ENOENT, 0);
    EXPECT_EQ(cache.statistics().bytes, 2 * one);
    cache.forget("a");
    cache.forget("b");
    EXPECT_EQ(cache.statistics().bytes, 0U);
}

TEST_F(name_cache_rules, inserting_no_file_is_a_mistake_of_the_program) {
    EXPECT_DEATH(cache.insert("a", file_ref(), 0), "");
}

} // namespace
} // namespace httpd
