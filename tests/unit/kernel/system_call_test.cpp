// The bare system call: all six arguments arrive, the result comes back as the kernel gave it, errno stays as it
// was, and the compiler knows what the call may have changed.
#include "kernel/system_call.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

namespace {

using laio::pointer;
using laio::system_call;
using laio::word;

TEST(system_call_result, is_the_kernels) {
    EXPECT_EQ(system_call(SYS_getpid), getpid());
    EXPECT_EQ(system_call(SYS_fcntl, -1, F_GETFL), -EBADF);
    EXPECT_EQ(system_call(SYS_mkdirat, AT_FDCWD, 1, 0), -EFAULT);
}

TEST(system_call_result, of_an_unknown_number_is_what_libc_would_have_got) {
    for (const long number : {-2L, 0x3fffffffL}) {
        errno = 0;
        EXPECT_EQ(syscall(number), -1);
        EXPECT_EQ(system_call(number), -errno) << number;
    }
}

TEST(system_call_result, may_be_an_address) {
    const long mapped = system_call(SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_TRUE(mapped > 0 || mapped < -4095) << mapped;
    EXPECT_EQ(*pointer<const char>(mapped), '\0');
    EXPECT_EQ(system_call(SYS_munmap, mapped, 4096), 0);
    EXPECT_EQ(system_call(SYS_munmap, mapped + 1, 4096), -EINVAL);
}

TEST(system_call_errno, is_left_alone) {
    errno = 4321;
    EXPECT_EQ(system_call(SYS_close, -1), -EBADF);
    EXPECT_EQ(errno, 4321);
    EXPECT_GT(system_call(SYS_getpid), 0);
    EXPECT_EQ(errno, 4321);
}

// mmap is the plainest call whose result depends on every one of its six arguments.
TEST(system_call_arguments, all_six_arrive) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const int file = static_cast<int>(syscall(SYS_memfd_create, "six", MFD_CLOEXEC));
    if (file < 0) GTEST_SKIP() << "memfd_create: " << std::strerror(errno);
    std::string content;
    for (const char letter : {'a', 'b', 'c', 'd'}) content.append(page, letter);
    ASSERT_EQ(write(file, content.data(), content.size()), static_cast<ssize_t>(content.size()));
    void *place = mmap(nullptr, 4 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(place, MAP_FAILED);
    const long wanted = word(place) + static_cast<long>(page);

    const long got = system_call(SYS_mmap, wanted, static_cast<long>(2 * page), PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_FIXED, file, static_cast<long>(page));
    ASSERT_EQ(got, wanted);
    char *mapped = pointer<char>(got);
    EXPECT_EQ(mapped[0], 'b');
    EXPECT_EQ(mapped[2 * page - 1], 'c');
    mapped[0] = 'B';
    char back = 0;
    EXPECT_EQ(pread(file, &back, 1, static_cast<off_t>(page)), 1);
    EXPECT_EQ(back, 'B') << "the mapping is not the shared one that was asked for";
    EXPECT_EQ(munmap(place, 4 * page), 0);
    close(file);
}

TEST(system_call_arguments, that_are_not_given_are_zero) {
    // fill the argument registers first, with what these calls would refuse
    EXPECT_LT(system_call(-2, -1, -1, -1, -1, -1, -1), 0);
    const long event = system_call(SYS_eventfd2); // a count of 0, no flags
    ASSERT_GE(event, 0);
    EXPECT_EQ(fcntl(static_cast<int>(event), F_GETFD), 0);
    EXPECT_EQ(fcntl(static_cast<int>(event), F_GETFL) & O_NONBLOCK, 0);
    close(static_cast<int>(event));
}

// Nothing else is called in between, so that the compiler may keep and drop what it likes.
[[gnu::noinline]] int send_to_itself(const int *ends, char letter) {
    char sent = '?';
    char received = '!';
    if (system_call(SYS_write, ends[1], word(&sent), 1) != 1) return -1;
    sent = letter; // would be dropped if the call were thought not to look
    if (system_call(SYS_write, ends[1], word(&sent), 1) != 1) return -2;
    if (system_call(SYS_read, ends[0], word(&received), 1) != 1 || received != '?') return -3;
    if (system_call(SYS_read, ends[0], word(&received), 1) != 1) return -4;
    return received;
}

TEST(system_call_memory, is_what_it_was_made_of_on_both_sides) {
    int ends[2]{-1, -1};
    ASSERT_EQ(system_call(SYS_pipe2, word(ends), O_CLOEXEC), 0);
    ASSERT_GE(ends[0], 0);
    for (const char letter : {'q', 'r', 's'}) EXPECT_EQ(send_to_itself(ends, letter), letter);
    close(ends[0]);
    close(ends[1]);
}

// A value that the compiler cannot know.
inline long unknown(long value) {
    asm volatile("" : "+r"(value));
    return value;
}

// More values than there are registers, alive across the call: one left where the kernel puts its own would be lost.
[[gnu::noinline]] long spoiled_values() {
    const long a = unknown(1), b = unknown(2), c = unknown(3), d = unknown(4), e = unknown(5), f = unknown(6);
    const long g = unknown(7), h = unknown(8), i = unknown(9), j = unknown(10), k = unknown(11), l = unknown(12);
    const long process = system_call(SYS_getpid);
    const long failed = system_call(SYS_close, -1);
    long spoiled = process > 0 && failed == -EBADF ? 0 : 100;
    long expected = 0;
    for (const long value : {a, b, c, d, e, f, g, h, i, j, k, l}) spoiled += value == ++expected ? 0 : 1;
    return spoiled;
}

TEST(system_call_registers, keep_what_the_compiler_has_in_them) { EXPECT_EQ(spoiled_values(), 0); }

TEST(words, are_pointers_and_back) {
    int value = 5;
    EXPECT_EQ(pointer<int>(word(&value)), &value);
    EXPECT_EQ(word(nullptr), 0);
    EXPECT_EQ(pointer<char>(0), nullptr);
}

} // namespace
