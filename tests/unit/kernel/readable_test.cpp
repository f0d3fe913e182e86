// Whether memory can be read, on mappings with and without holes, against what is known of them. That nothing is
// touched shows by itself: a touch of these pages would end the program.
#include "kernel/readable.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <random>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace {

using laio::is_readable;

const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));

// Some pages in a row, each readable or not.
class pages {
public:
    explicit pages(const std::vector<bool> &readable) : size_(readable.size() * page) {
        start_ = static_cast<char *>(mmap(nullptr, size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        EXPECT_NE(start_, MAP_FAILED);
        for (std::size_t i = 0; i < readable.size(); ++i)
            EXPECT_EQ(mprotect(start_ + i * page, page, readable[i] ? PROT_READ : PROT_NONE), 0);
    }
    pages(const pages &) = delete;
    pages &operator=(const pages &) = delete;
    ~pages() { munmap(start_, size_); }

    [[nodiscard]] const char *at(std::size_t offset) const { return start_ + offset; }

private:
    char *start_;
    std::size_t size_;
};

const void *address(std::uintptr_t number) { return reinterpret_cast<const void *>(number); }

TEST(readable_memory, is_what_a_program_has) {
    static const char constant[] = "text";
    const char local = 'x';
    const std::vector<char> on_the_heap(100'000);
    EXPECT_TRUE(is_readable(constant, sizeof constant));
    EXPECT_TRUE(is_readable(&local, 1));
    EXPECT_TRUE(is_readable(on_the_heap.data(), on_the_heap.size()));
    EXPECT_TRUE(is_readable(reinterpret_cast<const void *>(&close), 1));
}

TEST(readable_memory, ends_at_its_last_byte) {
    const pages memory({false, true, true, false});
    EXPECT_TRUE(is_readable(memory.at(page), 2 * page));
    EXPECT_FALSE(is_readable(memory.at(page), 2 * page + 1));
    EXPECT_FALSE(is_readable(memory.at(page - 1), 1));
    EXPECT_FALSE(is_readable(memory.at(page - 1), 2));
    EXPECT_TRUE(is_readable(memory.at(page), 1));
    for (std::size_t length = 1; length <= 24; ++length) {
        const char *last = memory.at(3 * page - length);
        EXPECT_TRUE(is_readable(last, length)) << length;
        EXPECT_FALSE(is_readable(last, length + 1)) << length;
        EXPECT_TRUE(is_readable(last, 1)) << length;
    }
    EXPECT_FALSE(is_readable(memory.at(3 * page), 1));
}

TEST(readable_memory, has_no_hole) {
    const pages memory({true, true, false, true});
    EXPECT_TRUE(is_readable(memory.at(0), 2 * page));
    EXPECT_FALSE(is_readable(memory.at(0), 4 * page)) << "both ends can be read, the middle cannot";
    EXPECT_FALSE(is_readable(memory.at(page + 7), page + 100));
    EXPECT_TRUE(is_readable(memory.at(3 * page), page));
}

TEST(readable_memory, does_not_include_what_lies_past_the_end_of_a_mapped_file) {
    const int file = static_cast<int>(syscall(SYS_memfd_create, "short", MFD_CLOEXEC));
    if (file < 0) GTEST_SKIP() << "memfd_create: " << std::strerror(errno);
    ASSERT_EQ(ftruncate(file, static_cast<off_t>(page)), 0);
    void *mapped = mmap(nullptr, 2 * page, PROT_READ, MAP_SHARED, file, 0);
    ASSERT_NE(mapped, MAP_FAILED);
    EXPECT_TRUE(is_readable(mapped, page));
    EXPECT_FALSE(is_readable(mapped, page + 1)) << "reading it raises SIGBUS";
    EXPECT_EQ(ftruncate(file, 0), 0);
    EXPECT_FALSE(is_readable(mapped, 1));
    munmap(mapped, 2 * page);
    close(file);
}

TEST(readable_memory, was_unmapped) {
    void *mapped = mmap(nullptr, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(mapped, MAP_FAILED);
    EXPECT_TRUE(is_readable(mapped, page));
    munmap(mapped, page);
    EXPECT_FALSE(is_readable(mapped, page));
}

TEST(length, zero_is_always_readable) {
    const pages memory({false});
    EXPECT_TRUE(is_readable(nullptr, 0));
    EXPECT_TRUE(is_readable(memory.at(5), 0));
    EXPECT_TRUE(is_readable(address(UINTPTR_MAX), 0));
}

TEST(length, huge_is_not) {
    const pages memory({true, true, false});
    for (const std::size_t length : {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2, std::size_t{1} << 48}) {
        EXPECT_FALSE(is_readable(memory.at(0), length)) << length;
        EXPECT_FALSE(is_readable(memory.at(page + 1), length)) << length;
        EXPECT_FALSE(is_readable(nullptr, length)) << length;
    }
    // up to the last byte there is, and past it, round to the start
    const auto start = reinterpret_cast<std::uintptr_t>(memory.at(0));
    EXPECT_FALSE(is_readable(memory.at(0), UINTPTR_MAX - start));
    EXPECT_FALSE(is_readable(memory.at(0), UINTPTR_MAX - start + 1));
    EXPECT_FALSE(is_readable(memory.at(0), UINTPTR_MAX - start + 2));
}

TEST(wild_pointers, are_not_readable) {
    for (const std::uintptr_t number :
         {std::uintptr_t{0}, std::uintptr_t{1}, std::uintptr_t{8}, std::uintptr_t{4095},
          std::uintptr_t{0x0000'8000'0000'0000}, std::uintptr_t{0x1234'5678'9abc'def0},
          std::uintptr_t{0xffff'8000'0000'0000}, UINTPTR_MAX - 4096, UINTPTR_MAX - 7, UINTPTR_MAX}) {
        EXPECT_FALSE(is_readable(address(number), 1)) << std::hex << number;
        EXPECT_FALSE(is_readable(address(number), 64)) << std::hex << number;
    }
}

TEST(asking, changes_neither_errno_nor_the_signal_mask) {
    sigset_t mask;
    sigset_t before;
    sigset_t after;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR2);
    ASSERT_EQ(sigprocmask(SIG_BLOCK, &mask, &before), 0);
    sigprocmask(SIG_BLOCK, nullptr, &mask);
    errno = 4321;
    sigset_t full; // as a mask it would block everything
    sigfillset(&full);
    EXPECT_TRUE(is_readable(&full, sizeof full));
    EXPECT_FALSE(is_readable(nullptr, 8));
    EXPECT_EQ(errno, 4321);
    sigprocmask(SIG_BLOCK, nullptr, &after);
    for (int number = 1; number < NSIG; ++number)
        EXPECT_EQ(sigismember(&after, number), sigismember(&mask, number)) << number;
    sigprocmask(SIG_SETMASK, &before, nullptr);
}

TEST(any_part, is_readable_if_each_page_of_it_is) {
    constexpr unsigned seed = 20040627;
    std::mt19937 random(seed);
    const std::vector<bool> readable = {false, true, true, false, true, false, false, true, true, true, false};
    const pages memory(readable);
    std::uniform_int_distribution<std::size_t> any_offset(0, readable.size() * page - 1);
    for (int round = 0; round < 5'000; ++round) {
        const std::size_t first = any_offset(random);
        const std::size_t last = std::uniform_int_distribution<std::size_t>(
            first, std::min(first + 4 * page, readable.size() * page - 1))(random);
        bool expected = true;
        for (std::size_t i = first / page; i <= last / page; ++i) expected = expected && readable[i];
        ASSERT_EQ(is_readable(memory.at(first), last - first + 1), expected)
            << "from " << first << " to " << last << ", seed " << seed;
    }
}

} // namespace
