// The options of a loop (src/thread.cpp): what is left out, what is refused, what the environment adds.
#include "thread.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

using laio::complete_options;

class options : public testing::Test {
protected:
    void SetUp() override { unsetenv("LAIO_FORBID"); }
    void TearDown() override { unsetenv("LAIO_FORBID"); }

    int complete() { return complete_options(&given, made); }
    static laio_options none() {
        laio_options all{};
        all.size = sizeof all;
        return all;
    }
    laio_options given = none();
    laio_options made{};
};

void expect_defaults(const laio_options &made) {
    EXPECT_EQ(made.size, sizeof made);
    EXPECT_EQ(made.flags, 0U);
    EXPECT_EQ(made.forbid, 0U);
    EXPECT_EQ(made.operations_max, 1'048'576U);
    EXPECT_EQ(made.ring_entries, 256U);
    EXPECT_EQ(made.carriers_max, 64U);
    EXPECT_EQ(made.carriers_hard_max, 1024U);
    EXPECT_EQ(made.carrier_idle_ms, 10'000U);
    EXPECT_EQ(made.cancel_signal, 0U);
}

TEST_F(options, that_are_not_given_are_the_default_ones) {
    ASSERT_EQ(complete_options(nullptr, made), 0);
    expect_defaults(made);
}

TEST_F(options, of_zero_are_the_default_ones) {
    ASSERT_EQ(complete(), 0);
    expect_defaults(made);
}

TEST_F(options, that_are_given_count) {
    given = {sizeof given, LAIO_FLAGS_ALL, LAIO_FORBID_ALL, 1, 2, 3, 4, 5, static_cast<std::uint32_t>(SIGRTMIN)};
    ASSERT_EQ(complete(), 0);
    EXPECT_EQ(made.flags, LAIO_FLAGS_ALL);
    EXPECT_EQ(made.forbid, LAIO_FORBID_ALL);
    EXPECT_EQ(made.operations_max, 1U);
    EXPECT_EQ(made.ring_entries, 2U);
    EXPECT_EQ(made.carriers_max, 3U);
    EXPECT_EQ(made.carriers_hard_max, 4U);
    EXPECT_EQ(made.carrier_idle_ms, 5U);
    EXPECT_EQ(made.cancel_signal, static_cast<std::uint32_t>(SIGRTMIN));
}

// ---- The size ------------------------------------------------------------------------------------------------------

// A program that was built with a header of another version: its structure ends at `size`, and no further byte is ours.
int complete_of_size(std::size_t size, const laio_options &content, laio_options &made, unsigned char beyond = 0) {
    std::vector<unsigned char> bytes(std::max(size, sizeof(std::size_t)), beyond);
    std::memcpy(bytes.data(), &content, std::min(bytes.size(), sizeof content));
    std::memcpy(bytes.data(), &size, sizeof size);
    return complete_options(reinterpret_cast<const laio_options *>(bytes.data()), made);
}

TEST_F(options, of_an_older_version_end_earlier) {
    given.flags = LAIO_ASSUME_BLOCKING;
    given.operations_max = 7;
    given.carriers_max = 8;
    ASSERT_EQ(complete_of_size(offsetof(laio_options, carriers_max), given, made), 0);
    EXPECT_EQ(made.size, sizeof made);
    EXPECT_EQ(made.flags, LAIO_ASSUME_BLOCKING);
    EXPECT_EQ(made.operations_max, 7U);
    EXPECT_EQ(made.carriers_max, 64U) << "read beyond the end";
    ASSERT_EQ(complete_of_size(offsetof(laio_options, operations_max), given, made), 0) << "the first version's end";
    EXPECT_EQ(made.operations_max, 1'048'576U);
}

TEST_F(options, of_a_later_version_may_be_there_unused) {
    given.carriers_max = 9;
    for (const std::size_t size : {sizeof given + 1, sizeof given + 8, std::size_t{4096}}) {
        ASSERT_EQ(complete_of_size(size, given, made), 0) << size;
        EXPECT_EQ(made.carriers_max, 9U);
        EXPECT_EQ(made.size, sizeof made);
        EXPECT_EQ(complete_of_size(size, given, made, 1), -EINVAL) << "an option that this library does not know";
    }
    std::vector<unsigned char> bytes(4096);
    const std::size_t size = bytes.size();
    std::memcpy(bytes.data(), &size, sizeof size);
    bytes.back() = 1; // the very last one
    EXPECT_EQ(complete_options(reinterpret_cast<const laio_options *>(bytes.data()), made), -EINVAL);
}

TEST_F(options, of_an_impossible_size_are_refused) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, offsetof(laio_options, flags),
                                   offsetof(laio_options, operations_max) - 1, std::size_t{4097}, SIZE_MAX}) {
        given.size = size;
        EXPECT_EQ(complete(), -EINVAL) << size;
    }
    EXPECT_EQ(complete_of_size(4097, none(), made), -EINVAL) << "all of it is zero, but no structure is that long";
}

// ---- Ranges --------------------------------------------------------------------------------------------------------

struct range {
    const char *name;
    std::uint32_t laio_options::*option;
    std::uint32_t most;
};

TEST_F(options, have_their_ranges) {
    constexpr range ranges[] = {
        {"operations_max", &laio_options::operations_max, 16'777'214},
        {"ring_entries", &laio_options::ring_entries, 32'768},
        {"carriers_max", &laio_options::carriers_max, 32'768},
        {"carriers_hard_max", &laio_options::carriers_hard_max, 32'768},
        {"carrier_idle_ms", &laio_options::carrier_idle_ms, UINT32_MAX},
    };
    for (const range &each : ranges) {
        SCOPED_TRACE(each.name);
        for (const std::uint32_t value : {1U, each.most}) {
            given = none();
            given.*each.option = value;
            EXPECT_EQ(complete(), 0) << value;
            EXPECT_EQ(made.*each.option, value);
        }
        if (each.most == UINT32_MAX) continue;
        for (const std::uint32_t value : {each.most + 1, UINT32_MAX, 0x8000'0000U}) {
            given = none();
            given.*each.option = value;
            EXPECT_EQ(complete(), -EINVAL) << value;
        }
    }
}

TEST_F(options, know_their_bits) {
    for (unsigned place = 0; place < 32; ++place) {
        const std::uint32_t bit = 1U << place;
        given = none();
        given.flags = bit;
        EXPECT_EQ(complete(), (bit & LAIO_FLAGS_ALL) != 0 ? 0 : -EINVAL) << "flags " << bit;
        given = none();
        given.forbid = bit;
        EXPECT_EQ(complete(), (bit & LAIO_FORBID_ALL) != 0 ? 0 : -EINVAL) << "forbid " << bit;
    }
}

TEST_F(options, name_a_real_time_signal) {
    for (const int number : {SIGRTMIN, SIGRTMIN + 3, SIGRTMAX}) {
        given.cancel_signal = static_cast<std::uint32_t>(number);
        EXPECT_EQ(complete(), 0) << number;
        EXPECT_EQ(made.cancel_signal, given.cancel_signal);
    }
    for (const int number : {1, SIGKILL, SIGTERM, SIGRTMIN - 1, SIGRTMAX + 1, -1}) {
        given.cancel_signal = static_cast<std::uint32_t>(number);
        EXPECT_EQ(complete(), -EINVAL) << number;
    }
}

// ---- The environment -----------------------------------------------------------------------------------------------

TEST_F(options, are_joined_by_what_the_environment_forbids) {
    setenv("LAIO_FORBID", "ring,nowait", 1);
    ASSERT_EQ(complete_options(nullptr, made), 0);
    EXPECT_EQ(made.forbid, LAIO_FORBID_RING | LAIO_FORBID_NOWAIT);
    given.forbid = LAIO_FORBID_PIDFD | LAIO_FORBID_RING;
    ASSERT_EQ(complete(), 0);
    EXPECT_EQ(made.forbid, LAIO_FORBID_RING | LAIO_FORBID_NOWAIT | LAIO_FORBID_PIDFD);
    EXPECT_EQ(given.forbid, LAIO_FORBID_PIDFD | LAIO_FORBID_RING) << "the application's own was written to";
}

TEST_F(options, are_not_spoiled_by_an_environment_that_makes_no_sense) {
    for (const char *text : {"", ",", "everything", "RING", "0xff", "ring_newer", "ring=1"}) {
        setenv("LAIO_FORBID", text, 1);
        EXPECT_EQ(complete(), 0) << text;
        EXPECT_EQ(made.forbid, 0U) << text;
    }
    setenv("LAIO_FORBID", "nonsense,attempts", 1);
    EXPECT_EQ(complete(), 0);
    EXPECT_EQ(made.forbid, LAIO_FORBID_ATTEMPTS);
}

// ---- A thread's loop -----------------------------------------------------------------------------------------------

TEST(loop_of_a_thread, is_made_once_and_ended) {
    EXPECT_EQ(laio::current_loop(), nullptr);
    laio::end_loop(true); // there is none
    laio_options bad{};
    EXPECT_EQ(laio::make_loop(&bad), -EINVAL);
    EXPECT_EQ(laio::current_loop(), nullptr);
    ASSERT_EQ(laio::make_loop(nullptr), 0);
    const laio::loop *first = laio::current_loop();
    EXPECT_NE(first, nullptr);
    EXPECT_EQ(laio::make_loop(nullptr), -EALREADY);
    EXPECT_EQ(laio::make_loop(&bad), -EALREADY) << "it has one: the options are not looked at";
    EXPECT_EQ(laio::current_loop(), first);
    laio::end_loop(true);
    EXPECT_EQ(laio::current_loop(), nullptr);
    ASSERT_EQ(laio::make_loop(nullptr), 0);
    laio::end_loop(true);
}

} // namespace
