// What a call that was left behind holds of its file, and when it lets go.
#include "engines/held_descriptor.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

using laio::held_descriptor;

bool is_open(int descriptor) { return fcntl(descriptor, F_GETFD) >= 0; }

ino_t inode_of(int descriptor) {
    struct stat status {};
    EXPECT_EQ(fstat(descriptor, &status), 0);
    return status.st_ino;
}

class held : public testing::Test {
protected:
    void SetUp() override { ASSERT_EQ(pipe(ends_), 0); }
    void TearDown() override {
        close(ends_[0]);
        close(ends_[1]);
    }

    int ends_[2]{};
    held_descriptor descriptor_;
};

TEST_F(held, is_nothing_before_a_call) {
    EXPECT_LT(descriptor_.number(), 0);
    descriptor_.let_go();
    EXPECT_TRUE(is_open(0)) << "number 0 is not ours";
}

TEST_F(held, a_duplicate_until_the_call_is_over) {
    descriptor_.reset();
    descriptor_.hold(SYS_read, ends_[0]);
    const int number = descriptor_.number();
    ASSERT_GE(number, 0);
    EXPECT_NE(number, ends_[0]);
    EXPECT_EQ(inode_of(number), inode_of(ends_[0]));
    EXPECT_NE(fcntl(number, F_GETFD) & FD_CLOEXEC, 0);
    descriptor_.let_go();
    EXPECT_FALSE(is_open(number));
    EXPECT_LT(descriptor_.number(), 0);
}

TEST_F(held, the_first_stays) {
    descriptor_.reset();
    descriptor_.hold(SYS_read, ends_[0]);
    const int number = descriptor_.number();
    descriptor_.hold(SYS_read, ends_[1]);
    EXPECT_EQ(descriptor_.number(), number);
    descriptor_.let_go();
}

TEST_F(held, not_after_the_call) {
    descriptor_.reset();
    descriptor_.let_go();
    descriptor_.hold(SYS_read, ends_[0]);
    EXPECT_LT(descriptor_.number(), 0);
}

TEST_F(held, not_of_calls_that_wait_for_nobody_nor_of_regular_files) {
    descriptor_.reset();
    descriptor_.hold(SYS_fsync, ends_[0]);
    EXPECT_LT(descriptor_.number(), 0);
    char name[] = "/tmp/laio-held-XXXXXX";
    const int file = mkstemp(name);
    ASSERT_GE(file, 0);
    unlink(name);
    descriptor_.hold(SYS_read, file);
    EXPECT_LT(descriptor_.number(), 0);
    close(file);
}

} // namespace
