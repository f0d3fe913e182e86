// What a loop remembers: hints by number, refusals by kind of file, which files the kernel answers for from memory.
#include "calls/surroundings.hpp"

#include "unit/calls/files.hpp"

#include <climits>
#include <cstdint>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <sys/epoll.h>
#include <sys/vfs.h>

namespace {

using laio::descriptor_hint;
using laio::descriptor_hints;
using laio::file_identity;
using laio::file_kind;
using laio::refusals;
using laio::surroundings;

file_identity identity_of(int descriptor) {
    file_identity file{};
    EXPECT_EQ(laio::identify(descriptor, file), 0);
    return file;
}

// ---- Hints -----------------------------------------------------------------------------------------------------------

TEST(a_hint, is_not_there_at_first) {
    const descriptor_hints hints;
    for (const int number : {0, 1, -1, 1023, 1024, INT_MAX}) {
        EXPECT_EQ(hints.kind(number), file_kind::unknown) << number;
        EXPECT_FALSE(hints.of(number).refuses) << number;
    }
}

TEST(a_hint, is_what_was_noted_last) {
    descriptor_hints hints;
    hints.note(5, file_kind::pipe);
    EXPECT_EQ(hints.kind(5), file_kind::pipe);
    EXPECT_FALSE(hints.of(5).refuses);
    hints.note_untimed(5, true);
    EXPECT_TRUE(hints.is_untimed(5, true));
    EXPECT_FALSE(hints.is_untimed(5, false));
    hints.note_untimed(6, true);
    EXPECT_FALSE(hints.is_untimed(6, true)) << "nothing is known of it";
    hints.note(5, file_kind::character, true);
    EXPECT_EQ(hints.kind(5), file_kind::character);
    EXPECT_TRUE(hints.of(5).refuses);
    hints.note(5, file_kind::socket);
    EXPECT_EQ(hints.kind(5), file_kind::socket);
    EXPECT_FALSE(hints.of(5).refuses) << "a refusal of the file that it was";
    hints.forget(5);
    EXPECT_EQ(hints.kind(5), file_kind::unknown);
    EXPECT_FALSE(hints.of(5).refuses);
}

TEST(a_hint, of_one_number_is_never_taken_for_another_s) {
    descriptor_hints hints;
    std::mt19937 random{1};
    std::map<int, file_kind> noted;
    for (int step = 0; step < 100'000; ++step) {
        const int number = static_cast<int>(random() % 5) + 1024 * static_cast<int>(random() % 2000);
        const auto kind = static_cast<file_kind>(1 + random() % 7);
        hints.note(number, kind);
        noted[number] = kind;
        const int asked = static_cast<int>(random() % 5) + 1024 * static_cast<int>(random() % 2000);
        const file_kind answer = hints.kind(asked);
        if (answer != file_kind::unknown) { ASSERT_EQ(answer, noted[asked]) << "may be forgotten, not wrong"; }
        ASSERT_EQ(hints.kind(number), kind);
    }
}

TEST(a_hint, that_is_forgotten_leaves_its_neighbours) {
    descriptor_hints hints;
    for (int number = 0; number < 1000; ++number) hints.note(number, file_kind::socket);
    hints.forget(500);
    for (int number = 0; number < 1000; ++number)
        ASSERT_EQ(hints.kind(number), number == 500 ? file_kind::unknown : file_kind::socket);
}

TEST(a_hint, may_be_of_any_number) {
    descriptor_hints hints;
    for (const int number : {-1, -100, INT_MIN, INT_MAX - 1}) {
        hints.note(number, file_kind::pipe);
        EXPECT_EQ(hints.kind(number), file_kind::pipe) << number;
    }
    EXPECT_EQ(hints.kind(0), file_kind::unknown);
}

// ---- Refusals --------------------------------------------------------------------------------------------------------

TEST(a_refusal, is_of_a_kind_of_file_on_a_device) {
    refusals known;
    const file_identity refused{file_kind::regular, 1, 8, 1};
    EXPECT_FALSE(known.has(refused));
    known.add(refused);
    EXPECT_TRUE(known.has(refused));
    EXPECT_TRUE(known.has({file_kind::regular, 7, 8, 1})) << "however many names it has";
    EXPECT_FALSE(known.has({file_kind::directory, 1, 8, 1}));
    EXPECT_FALSE(known.has({file_kind::regular, 1, 8, 2}));
    EXPECT_FALSE(known.has({file_kind::regular, 1, 9, 1}));
}

TEST(a_refusal, by_no_file_is_not_known) {
    const refusals known;
    EXPECT_FALSE(known.has({file_kind::unknown, 0, 0, 0}));
}

TEST(refusals, are_bounded_and_the_oldest_is_forgotten) {
    refusals known;
    const auto on_device = [](std::uint32_t number) { return file_identity{file_kind::regular, 1, 8, number}; };
    for (std::uint32_t number = 0; number < 16; ++number) known.add(on_device(number));
    for (std::uint32_t number = 0; number < 16; ++number) EXPECT_TRUE(known.has(on_device(number))) << number;
    for (std::uint32_t number = 16; number < 1000; ++number) {
        known.add(on_device(number));
        for (std::uint32_t recent = number - 15; recent <= number; ++recent)
            ASSERT_TRUE(known.has(on_device(recent))) << recent << " of " << number;
    }
    EXPECT_FALSE(known.has(on_device(0)));
}

TEST(refusals, that_are_repeated_push_no_other_out) {
    refusals known;
    const file_identity first{file_kind::regular, 1, 8, 1};
    const file_identity second{file_kind::regular, 1, 8, 2};
    known.add(first);
    for (int i = 0; i < 1000; ++i) known.add(second);
    EXPECT_TRUE(known.has(first));
    EXPECT_TRUE(known.has(second));
}

// ---- Files that are answered for from memory -------------------------------------------------------------------------

TEST(what_is_local, are_sockets_and_files_without_a_file_system) {
    surroundings world;
    const laio::test::ends sockets = laio::test::make_sockets();
    const laio::test::descriptor counter{eventfd(0, EFD_CLOEXEC)};
    const laio::test::descriptor poller{epoll_create1(EPOLL_CLOEXEC)};
    EXPECT_TRUE(world.is_local(identity_of(sockets.in)));
    EXPECT_TRUE(world.is_local(identity_of(counter)));
    EXPECT_TRUE(world.is_local(identity_of(poller)));
}

TEST(what_is_local, are_files_on_a_disk) {
    surroundings world;
    const laio::test::directory here;
    const laio::test::descriptor file = here.file("a", "content");
    struct statfs status {};
    ASSERT_EQ(fstatfs(file, &status), 0);
    constexpr long ext = 0xef53;
    constexpr long xfs = 0x58465342;
    constexpr long tmpfs = 0x01021994;
    if (status.f_type != ext && status.f_type != xfs && status.f_type != tmpfs)
        GTEST_SKIP() << here.path() << " is not on ext4, xfs or tmpfs";
    EXPECT_TRUE(world.is_local(identity_of(file)));
    EXPECT_TRUE(world.is_local(identity_of(file))) << "asked again";
}

TEST(what_is_local, is_not_what_a_program_of_the_kernel_answers) {
    surroundings world;
    const laio::test::descriptor status{open("/proc/self/status", O_RDONLY | O_CLOEXEC)};
    if (status < 0) GTEST_SKIP() << "no /proc";
    EXPECT_FALSE(world.is_local(identity_of(status)));
    const laio::test::descriptor memory = laio::test::make_memory_file("content");
    EXPECT_FALSE(world.is_local(identity_of(memory))) << "a file system that is mounted nowhere";
}

} // namespace
