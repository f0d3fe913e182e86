// What is told of a file's bytes in memory, by both ways of asking.
#include "kernel/residency.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>

namespace {

using laio::features;
using laio::residency;
using laio::residency_of;

constexpr long page = 4096;
constexpr long all = 64 * page;

constexpr features way(bool cachestat, bool nowait) {
    features has;
    has.cachestat = cachestat;
    has.nowait = nowait;
    return has;
}

// Those that this kernel has.
features both() { return laio::ask_features(0); }

class residency_of_a_file : public testing::Test {
protected:
    void SetUp() override {
        std::string name = "residency_test.XXXXXX"; // not in /tmp, which may be memory
        file = mkstemp(name.data());
        ASSERT_GE(file, 0);
        unlink(name.c_str());
        ASSERT_EQ(ftruncate(file, 0), 0);
        ASSERT_EQ(write(file, std::string(all, 'x').data(), all), all);
        posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM); // nothing is read beyond what is asked for
    }
    void TearDown() override { close(file); }

    // False: on this file system it stays.
    bool drop(long offset, long length) const {
        fdatasync(file);
        posix_fadvise(file, offset, length, POSIX_FADV_DONTNEED);
        return residency_of(file, offset, static_cast<std::uint64_t>(length), way(both().cachestat, false)) ==
                   residency::absent ||
               residency_of(file, offset, static_cast<std::uint64_t>(length), way(false, true)) == residency::absent;
    }

    int file = -1;
};

TEST_F(residency_of_a_file, that_was_just_written) {
    if (both().cachestat) { EXPECT_EQ(residency_of(file, 0, all, way(true, false)), residency::present); }
    EXPECT_NE(residency_of(file, 0, all, way(false, true)), residency::absent);
    EXPECT_NE(residency_of(file, 0, all, both()), residency::absent);
}

TEST_F(residency_of_a_file, that_is_on_the_disk_alone) {
    if (!drop(0, all)) GTEST_SKIP() << "what is in memory stays there on this file system";
    EXPECT_EQ(residency_of(file, 0, all, both()), residency::absent);
    if (both().cachestat) { EXPECT_EQ(residency_of(file, 100, 1, way(true, false)), residency::absent); }
}

TEST_F(residency_of_a_file, whose_middle_is_on_the_disk_is_seen_by_counting_alone) {
    if (!both().cachestat) GTEST_SKIP() << "no cachestat(2)";
    if (!drop(16 * page, 16 * page)) GTEST_SKIP() << "what is in memory stays there on this file system";
    EXPECT_EQ(residency_of(file, 0, all, way(true, true)), residency::absent);
    EXPECT_NE(residency_of(file, 0, all, way(false, true)), residency::absent);
    EXPECT_NE(residency_of(file, 0, 16 * page, way(true, true)), residency::absent);
}

TEST_F(residency_of_a_file, is_not_told_where_nobody_may_be_asked) {
    EXPECT_EQ(residency_of(file, 0, all, way(false, false)), residency::untold);
}

TEST_F(residency_of_a_file, is_not_missed_behind_its_end) {
    EXPECT_NE(residency_of(file, 0, 2 * all, both()), residency::absent);
    EXPECT_NE(residency_of(file, all, page, both()), residency::absent);
}

TEST(residency_of_others, is_never_absent) {
    const int made_up = open("/proc/self/maps", O_RDONLY);
    EXPECT_NE(residency_of(made_up, 0, 100, both()), residency::absent);
    close(made_up);
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    EXPECT_EQ(residency_of(ends[0], 0, 1, both()), residency::untold);
    EXPECT_EQ(residency_of(-1, 0, 1, both()), residency::untold);
    close(ends[0]);
    close(ends[1]);
}

} // namespace
