// What is told of a file's bytes in memory, by both ways of asking.
#include "kernel/residency.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace {

using laio::features;
using laio::file_extent;
using laio::page_counts;
using laio::residency;

constexpr long page = 4096;
constexpr long all = 64 * page;
constexpr std::uint64_t transfer = 0x7ffff000;

constexpr features way(bool cachestat, bool nowait) {
    features has;
    has.cachestat = cachestat;
    has.nowait = nowait;
    return has;
}

// Those that this kernel has.
features both() { return laio::ask_features(0); }

residency ask(int file, long offset, std::uint64_t length, const features &has, page_counts &counts) {
    file_extent extent{};
    if (laio::measure(file, extent) < 0) return residency::untold;
    return laio::residency_of(file, extent, offset, length, has, counts);
}

bool has_cachestat() { return syscall(laio::sys_cachestat, -1, nullptr, nullptr, 0) != 0 && errno == EBADF; }

constexpr std::uint64_t device = 42;

class residency_of_a_file : public testing::Test {
protected:
    void SetUp() override {
        std::string name = "residency_test.XXXXXX"; // not in /tmp, which may be memory
        file = mkstemp(name.data());
        ASSERT_GE(file, 0);
        unlink(name.c_str());
        ASSERT_EQ(write(file, std::string(all, 'x').data(), all), all);
        posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM); // nothing is read beyond what is asked for
    }
    void TearDown() override { close(file); }

    // Whether pages of it are in memory, as mincore(2) sees them.
    [[nodiscard]] bool is_any_there(long offset, long length) const {
        void *map = mmap(nullptr, all, PROT_READ, MAP_SHARED, file, 0);
        std::vector<unsigned char> there(static_cast<std::size_t>(length / page));
        const int r = mincore(static_cast<char *>(map) + offset, static_cast<std::size_t>(length), there.data());
        munmap(map, all);
        return r != 0 || std::any_of(there.begin(), there.end(), [](unsigned char one) { return (one & 1U) != 0; });
    }

    // False: on this file system it stays.
    [[nodiscard]] bool drop(long offset, long length) const {
        fdatasync(file);
        posix_fadvise(file, offset, length, POSIX_FADV_DONTNEED);
        return !is_any_there(offset, length);
    }

    // Of one that is in memory, so that the count is believed here.
    void learn() { ask(file, 0, all, way(true, false), counts); }

    [[nodiscard]] file_extent extent() const {
        file_extent found{};
        EXPECT_EQ(laio::measure(file, found), 0);
        return found;
    }

    page_counts counts;
    int file = -1;
};

#define NEEDS_CACHESTAT()                                                                                              \
    if (!has_cachestat()) GTEST_SKIP() << "no cachestat(2) in this kernel"
#define NEEDS_DROPPED(offset, length)                                                                                  \
    if (!drop(offset, length)) GTEST_SKIP() << "what is in memory stays there on this file system"

TEST_F(residency_of_a_file, that_was_just_written) {
    if (has_cachestat()) { EXPECT_EQ(ask(file, 0, all, way(true, false), counts), residency::present); }
    EXPECT_NE(ask(file, 0, all, way(false, true), counts), residency::absent);
    EXPECT_NE(ask(file, 0, all, both(), counts), residency::absent);
}

TEST_F(residency_of_a_file, that_is_on_the_disk_alone) {
    NEEDS_CACHESTAT();
    learn();
    NEEDS_DROPPED(0, all);
    EXPECT_EQ(ask(file, 0, all, way(true, false), counts), residency::absent);
    EXPECT_EQ(ask(file, 100, 1, way(true, false), counts), residency::absent);
    EXPECT_FALSE(is_any_there(0, all)) << "to ask brings it in";
}

TEST_F(residency_of_a_file, that_is_on_the_disk_alone_is_found_by_the_byte_where_nothing_was_counted_before) {
    NEEDS_DROPPED(0, all);
    EXPECT_EQ(ask(file, 0, all, way(has_cachestat(), false), counts), residency::untold);
    const residency byte = ask(file, 0, all, way(has_cachestat(), true), counts);
    if (byte == residency::untold) GTEST_SKIP() << "no RWF_NOWAIT on this file system";
    EXPECT_EQ(byte, residency::absent);
}

TEST_F(residency_of_a_file, whose_middle_is_on_the_disk_is_seen_by_counting_alone) {
    NEEDS_CACHESTAT();
    NEEDS_DROPPED(0, all);
    char byte = 0;
    for (long at = 0; at < all; at += page)
        if (at < 16 * page || at >= 32 * page) { ASSERT_EQ(pread(file, &byte, 1, at), 1); }
    if (is_any_there(16 * page, 16 * page)) GTEST_SKIP() << "more is read than is asked for on this file system";
    EXPECT_EQ(ask(file, 0, all, way(true, true), counts), residency::absent);
    EXPECT_NE(ask(file, 0, all, way(false, true), counts), residency::absent);
    EXPECT_NE(ask(file, 0, 16 * page, way(true, true), counts), residency::absent);
}

TEST_F(residency_of_a_file, that_has_holes_is_not_missed_where_they_are) {
    NEEDS_CACHESTAT();
    learn();
    ASSERT_EQ(ftruncate(file, 4 * all), 0);
    fdatasync(file);
    EXPECT_EQ(ask(file, 2 * all, page, way(true, false), counts), residency::untold);
}

TEST_F(residency_of_a_file, is_not_told_where_nobody_may_be_asked) {
    EXPECT_EQ(ask(file, 0, all, way(false, false), counts), residency::untold);
}

TEST_F(residency_of_a_file, is_not_missed_behind_its_end) {
    EXPECT_NE(ask(file, 0, 2 * all, both(), counts), residency::absent);
    EXPECT_EQ(ask(file, all, page, both(), counts), residency::untold);
    EXPECT_EQ(ask(file, LONG_MAX, transfer, both(), counts), residency::untold);
    EXPECT_EQ(ask(file, -1, transfer, both(), counts), residency::untold);
    EXPECT_NE(ask(file, all - 1, ~std::uint64_t{0}, both(), counts), residency::absent);
}

// Behind an overlay nothing is counted, and with DAX: then the byte that is there says so, and nobody is asked to count again.
TEST_F(residency_of_a_file, where_nothing_is_counted_is_found_by_the_byte) {
    counts.note_useless(extent().key.device);
    EXPECT_EQ(ask(file, 0, all, way(true, false), counts), residency::untold) << "it was asked to count";
    EXPECT_NE(ask(file, 0, all, way(true, true), counts), residency::absent);
}

TEST(residency_of_others, is_never_absent) {
    page_counts counts;
    const int made_up = open("/proc/self/maps", O_RDONLY);
    EXPECT_NE(ask(made_up, 0, 100, both(), counts), residency::absent);
    close(made_up);
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    EXPECT_EQ(ask(ends[0], 0, 1, both(), counts), residency::untold);
    EXPECT_EQ(ask(-1, 0, 1, both(), counts), residency::untold);
    close(ends[0]);
    close(ends[1]);
}

TEST(counts, are_believed_where_there_were_some) {
    page_counts counts;
    EXPECT_FALSE(counts.believes(device, 0));
    EXPECT_TRUE(counts.believes(device, 1));
    EXPECT_TRUE(counts.believes(device, 0));
    EXPECT_FALSE(counts.believes(device + 1, 0));
}

TEST(counts, are_not_called_useless_for_ever) {
    page_counts counts;
    EXPECT_FALSE(counts.is_useless(device));
    counts.note_useless(device);
    for (unsigned i = 0; i < page_counts::useless_max; ++i) ASSERT_TRUE(counts.is_useless(device)) << i;
    EXPECT_FALSE(counts.is_useless(device));
}

TEST(counts, that_are_empty_are_not_believed_for_ever) {
    page_counts counts;
    counts.believes(device, 1);
    unsigned believed = 0;
    while (believed < 2 * page_counts::empty_max && counts.believes(device, 0)) ++believed;
    EXPECT_LE(believed, page_counts::empty_max);
    EXPECT_GT(believed, 1U);
    EXPECT_TRUE(counts.believes(device, 1));
    EXPECT_TRUE(counts.believes(device, 0));
}

TEST(counts, where_they_are_useless_are_not_believed) {
    page_counts counts;
    counts.believes(device, 1);
    counts.note_useless(device);
    EXPECT_TRUE(counts.is_useless(device));
    EXPECT_FALSE(counts.is_useless(device + 1));
    EXPECT_FALSE(counts.believes(device, 1));
}

TEST(counts, of_many_devices_forget_the_oldest) {
    page_counts counts;
    for (std::uint64_t i = 0; i <= page_counts::capacity; ++i) counts.note_useless(i);
    EXPECT_FALSE(counts.is_useless(0));
    for (std::uint64_t i = 1; i <= page_counts::capacity; ++i) EXPECT_TRUE(counts.is_useless(i)) << i;
}

} // namespace
