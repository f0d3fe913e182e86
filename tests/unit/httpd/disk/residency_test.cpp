// What is told of a file's bytes in memory: never more than is there.
#include "disk/residency.hpp"

#include "fixture.hpp"

#include <cerrno>
#include <cstring>

namespace httpd::test {
namespace {

constexpr std::uint64_t page = 4096;
constexpr std::uint64_t all = 262144;

// A file with `resident` bytes in memory, if this file system drops those of a file that nobody uses.
class residency_of_a_file : public testing::Test {
protected:
    void SetUp() override {
        files.write("f", bytes_of(all + 100));
        file = files.open("f");
        ASSERT_GE(file, 0);
        ::posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM); // nothing is read beyond what is asked for
        if (look_again(file, 0, all).how == certainty::unknown) GTEST_SKIP() << "no RWF_NOWAIT on this file system";
        ASSERT_EQ(look_for(file, 0, all).bytes, all); // as it was written
        drop(file);
        if (look_for(file, 0, all).bytes != 0) GTEST_SKIP() << "what is in memory stays there on this file system";
    }
    void TearDown() override { ::close(file); }

    directory files;
    int file = -1;
};

TEST_F(residency_of_a_file, absent_until_it_is_read) {
    EXPECT_EQ(look_for(file, 0, all).bytes, 0U);
    EXPECT_EQ(read_to_nowhere(file, 0, all), static_cast<long>(all));
    for (const auto look : {look_for, look_again}) {
        const auto found = look(file, 0, all);
        EXPECT_EQ(found.how, certainty::known);
        EXPECT_EQ(found.bytes, all);
    }
}

TEST_F(residency_of_a_file, a_hole_in_what_is_there_ends_it) {
    ASSERT_EQ(read_to_nowhere(file, 0, 8 * page), static_cast<long>(8 * page));
    const auto found = look_again(file, 0, all);
    EXPECT_EQ(found.how, certainty::known);
    EXPECT_GE(found.bytes, 8 * page);
    EXPECT_LT(found.bytes, all);
    EXPECT_EQ(look_again(file, 100, page).bytes, page); // across two pages
}

TEST_F(residency_of_a_file, sees_what_the_middle_lost) {
    ASSERT_EQ(read_to_nowhere(file, 0, all), static_cast<long>(all));
    ::posix_fadvise(file, 32 * page, 16 * page, POSIX_FADV_DONTNEED);
    const auto found = look_for(file, 0, all);
    EXPECT_EQ(found.how, certainty::known);
    EXPECT_LT(found.bytes, all);
    EXPECT_LE(look_again(file, 0, all).bytes, 32 * page);
}

TEST_F(residency_of_a_file, tells_of_no_more_than_it_looks_at) {
    ASSERT_EQ(read_to_nowhere(file, 0, all + 100), static_cast<long>(all + 100));
    EXPECT_EQ(look_for(file, 0, all + 100).bytes, all);
    EXPECT_EQ(look_for(file, 10, 1).bytes, 1U);
}

TEST_F(residency_of_a_file, nothing_is_beyond_its_end_to_be_waited_for) {
    EXPECT_EQ(read_to_nowhere(file, all, all), 100);
    EXPECT_EQ(look_again(file, all, all).bytes, 100U);
    const auto beyond = look_again(file, 2 * all, all);
    EXPECT_EQ(beyond.how, certainty::known);
    EXPECT_EQ(beyond.bytes, all);
}

TEST(residency, of_a_file_in_a_file_system_without_nowait_is_likely_at_best) {
    if (::access("/dev/shm", W_OK) != 0) GTEST_SKIP() << "/dev/shm: " << std::strerror(errno);
    const directory files("/dev/shm");
    files.write("f", bytes_of(all));
    const int file = files.open("f");
    const auto again = look_again(file, 0, all);
    if (again.how == certainty::known) GTEST_SKIP() << "tmpfs has RWF_NOWAIT here";
    EXPECT_EQ(again.bytes, 0U);
    const auto found = look_for(file, 0, all);
    if (found.how == certainty::unknown) GTEST_SKIP() << "no cachestat(2) here";
    EXPECT_EQ(found.how, certainty::likely);
    EXPECT_EQ(found.bytes, all);
    ::close(file);
}

// cachestat(2) refuses, but for root.
TEST(residency, of_somebody_elses_file) {
    const int file = ::open("/bin/sh", O_RDONLY | O_CLOEXEC);
    ASSERT_GE(file, 0);
    ASSERT_EQ(read_to_nowhere(file, 0, page), static_cast<long>(page));
    const auto found = look_for(file, 0, page);
    if (found.how != certainty::known) GTEST_SKIP() << "no RWF_NOWAIT on the file system of /bin";
    EXPECT_EQ(found.bytes, page);
    ::close(file);
}

TEST(residency, of_what_cannot_be_read) {
    EXPECT_EQ(look_for(-1, 0, all).how, certainty::unknown);
    EXPECT_EQ(read_to_nowhere(-1, 0, all), -1);
    EXPECT_EQ(errno, EBADF);
}

} // namespace
} // namespace httpd::test
