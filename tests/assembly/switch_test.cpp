// The assembly of activations: calls in place give what the kernel gives; claimed, the application goes on elsewhere with
// everything that is its own, and the thread that made the call has what it needs to make it again.
#include "stage.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cfenv>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

using laio::test::kernel_thread;
using laio::test::seen;
using laio::test::stage;

thread_local int of_the_application = 0;

class activation_switch : public ::testing::Test {
protected:
    void SetUp() override {
        if (const std::string why = laio::test::why_not(); !why.empty()) GTEST_SKIP() << why;
    }
};

enum class way { call, syscall };

// Its own frame, to be found on the stack.
[[gnu::noinline]] long make(stage &with, way which, long number, const std::array<long, 6> &a) {
    const long result = which == way::call ? laio_activation_call(&with.home(), number, a.data())
                                           : laio_activation_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    asm volatile("" ::: "memory"); // no jump instead of the call
    return result;
}

long make(stage &with, way which, long number) { return make(with, which, number, {0, 0, 0, 0, 0, 0}); }

bool has_caller(long (*function)(stage &, way, long, const std::array<long, 6> &)) {
    return std::find(seen.callers.begin(), seen.callers.end(), reinterpret_cast<const void *>(function)) !=
           seen.callers.end();
}

class both_ways : public activation_switch, public ::testing::WithParamInterface<way> {};
INSTANTIATE_TEST_SUITE_P(, both_ways, ::testing::Values(way::call, way::syscall),
                         [](const auto &its) { return its.param == way::call ? "call" : "syscall"; });

TEST_P(both_ways, the_result_is_the_kernels) {
    stage with;
    EXPECT_EQ(make(with, GetParam(), SYS_getppid), getppid());
    EXPECT_EQ(make(with, GetParam(), SYS_getpid), getpid());
    EXPECT_EQ(with.home().word.load(), laio::word_done + 8);
    EXPECT_EQ(make(with, GetParam(), SYS_close, {-1, 0, 0, 0, 0, 0}), GetParam() == way::call ? -EBADF : -1);
    EXPECT_EQ(seen.failed, GetParam() == way::call ? 0 : -EBADF);
}

// The second page of a file: all six arguments matter. With a watcher to be woken before, or not.
TEST_P(both_ways, six_arguments_arrive) {
    stage with;
    const long page = sysconf(_SC_PAGESIZE);
    const int file = memfd_create("pages", MFD_CLOEXEC);
    ASSERT_EQ(pwrite(file, "here", 4, page), 4);
    for (const unsigned asleep : {0U, 1U}) {
        with.asleep().store(asleep);
        const long at = make(with, GetParam(), SYS_mmap, {0, page, PROT_READ, MAP_PRIVATE, file, page});
        ASSERT_NE(at, -1);
        EXPECT_STREQ(reinterpret_cast<const char *>(at), "here");
        munmap(reinterpret_cast<void *>(at), static_cast<std::size_t>(page));
    }
    EXPECT_EQ(seen.woken, 1);
    EXPECT_TRUE(has_caller(make)) << "unwinding does not find the way from a call in place";
    close(file);
}

TEST_P(both_ways, a_claim_that_nobody_confirmed_is_withdrawn) {
    stage with;
    with.withdraw_next();
    EXPECT_EQ(make(with, GetParam(), SYS_getppid), getppid());
    EXPECT_EQ(with.home().claim.load(), 0U);
    EXPECT_EQ(make(with, GetParam(), SYS_getpid), getpid());
    EXPECT_FALSE(with.is_lost());
}

// All that is the application's goes along; the call's number, arguments and result stay behind.
TEST_P(both_ways, a_claimed_call_is_left_behind) {
    stage with;
    of_the_application = 42;
    const int *where = &of_the_application;
    const pid_t home = kernel_thread();
    std::fesetround(FE_UPWARD);
    for (int i = 0; i < 100; ++i) {
        with.claim_next();
        with.asleep().store(i % 2 == 0 ? 1 : 0);
        with.home().call_tp = i % 4 < 2 ? with.home().own_tp : with.home().app_tp;
        const long result = make(with, GetParam(), SYS_getppid, {1, 2, 3, 4, 5, 6});
        ASSERT_NE(kernel_thread(), home);
        if (i % 2 == 0) { ASSERT_EQ(seen.woken_on, with.home().call_tp); }
        if (GetParam() == way::syscall) {
            ASSERT_EQ(result, -1);
            ASSERT_EQ(seen.claimed, i + 1);
            ASSERT_EQ(seen.words[0], SYS_getppid);
            for (int j = 0; j < 6; ++j) ASSERT_EQ(seen.words[j + 1], j + 1);
            ASSERT_TRUE(has_caller(make));
        }
        ASSERT_EQ(&of_the_application, where);
        ASSERT_EQ(std::fegetround(), FE_UPWARD);
        std::fesetround(i % 2 == 0 ? FE_DOWNWARD : FE_UPWARD);
        with.go_home();
        ASSERT_EQ(kernel_thread(), home);
        ASSERT_EQ(std::fegetround(), i % 2 == 0 ? FE_DOWNWARD : FE_UPWARD);
        std::fesetround(FE_UPWARD);
        ASSERT_TRUE(with.lost_on_own_thread_pointer());
        ASSERT_EQ(with.home().result, getppid());
        ASSERT_EQ(with.home().made.number, SYS_getppid);
        for (int j = 0; j < 6; ++j) ASSERT_EQ(with.home().made.a[j], j + 1);
    }
    std::fesetround(FE_TONEAREST);
}

TEST_P(both_ways, a_call_is_claimed_while_it_blocks) {
    stage with;
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    char to = 0;
    const pid_t home = kernel_thread();
    for (int i = 0; i < 100; ++i) {
        with.claim_blocked();
        make(with, GetParam(), SYS_read, {ends[0], reinterpret_cast<long>(&to), 1, 0, 0, 0});
        ASSERT_NE(kernel_thread(), home);
        const char from = static_cast<char>('a' + i % 26);
        ASSERT_EQ(write(ends[1], &from, 1), 1);
        with.go_home();
        ASSERT_EQ(kernel_thread(), home);
        ASSERT_EQ(with.home().result, 1);
        ASSERT_EQ(to, from);
    }
    close(ends[0]);
    close(ends[1]);
}

TEST_F(activation_switch, keeps_registers) {
    stage with;
    std::array<std::uint64_t, laio::test::kept_registers> values{};
    const auto fill = [&values] {
        std::uint64_t value = 0x0123'4567'89ab'cdef;
        for (std::uint64_t &one : values) one = value += 0x1111'1111'1111'1111;
    };
    fill();
    const auto expected = values;
    const std::array<long, 6> none{};
    EXPECT_EQ(call_with_registers(&with.home(), SYS_getppid, none.data(), values.data()), getppid());
    EXPECT_EQ(values, expected);
    with.claim_next();
    fill();
    call_with_registers(&with.home(), SYS_getppid, none.data(), values.data());
    EXPECT_EQ(values, expected) << "claimed";
    with.go_home();
}

} // namespace
