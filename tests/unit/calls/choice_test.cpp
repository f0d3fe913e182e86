// Attempt or in place: when a kind changes its way, and back.
#include "calls/choice.hpp"

#include <gtest/gtest.h>

namespace {

using laio::choice;
using laio::choices;
using laio::file_kind;
using laio::form;

void attempt(choice &which, unsigned times, bool blocks, std::uint64_t &now) {
    for (unsigned i = 0; i < times; ++i) which.note_attempt(blocks, ++now);
}

TEST(a_choice, goes_in_place_when_enough_attempts_in_a_row_did_not_block) {
    choice which{8, false};
    std::uint64_t now = 0;
    attempt(which, 7, false, now);
    EXPECT_FALSE(which.is_in_place());
    attempt(which, 1, true, now);
    attempt(which, 7, false, now);
    EXPECT_FALSE(which.is_in_place()) << "one blocked";
    attempt(which, 1, false, now);
    EXPECT_TRUE(which.is_in_place());
}

TEST(a_choice, goes_back_when_a_call_blocks_and_for_longer_if_that_was_soon) {
    choice which{8, true};
    std::uint64_t now = 0;
    EXPECT_TRUE(which.is_in_place());
    which.note_blocked_in_place(now += 3);
    attempt(which, 15, false, now);
    EXPECT_FALSE(which.is_in_place());
    attempt(which, 1, false, now);
    EXPECT_TRUE(which.is_in_place());
    which.note_blocked_in_place(now += 1000); // long after: half as many
    attempt(which, 8, false, now);
    EXPECT_TRUE(which.is_in_place());
}

TEST(a_choice, that_blocks_again_and_again_is_bounded) {
    choice which{1, true};
    for (int i = 0; i < 64; ++i) which.note_blocked_in_place(0);
    std::uint64_t now = 0;
    attempt(which, 1U << 20U, false, now);
    EXPECT_TRUE(which.is_in_place());
}

TEST(choices, are_made_for_kinds_that_have_both_ways) {
    choices all;
    EXPECT_NE(all.of(form::read, file_kind::pipe), nullptr);
    EXPECT_NE(all.of(form::read, file_kind::regular), all.of(form::read, file_kind::pipe));
    EXPECT_EQ(all.of(form::read, file_kind::regular), all.of(form::read, file_kind::block));
    EXPECT_EQ(all.of(form::read, file_kind::socket), nullptr);
    EXPECT_EQ(all.of(form::read, file_kind::unknown), nullptr);
    EXPECT_EQ(all.of(form::write, file_kind::pipe), nullptr);
    EXPECT_TRUE(all.of(form::open, file_kind::unknown)->is_in_place());
}

TEST(choices, of_reads_that_are_not_attempted_stay_in_place) {
    choices all;
    all.drop_attempts_of_reads();
    choice *unknown = all.of(form::read, file_kind::unknown);
    ASSERT_NE(unknown, nullptr);
    EXPECT_TRUE(unknown->is_in_place());
    unknown->note_blocked_in_place(1);
    EXPECT_TRUE(unknown->is_in_place());
    EXPECT_EQ(all.of(form::read, file_kind::socket), nullptr);
}

TEST(choices, of_files_that_are_sent_begin_without_a_look) {
    choices all;
    EXPECT_EQ(all.of(form::send_file, file_kind::regular), nullptr) << "it has no attempt that could take its place";
    EXPECT_TRUE(all.sending().is_in_place());
    all.sending().note_blocked_in_place(1);
    EXPECT_FALSE(all.sending().is_in_place());
}

} // namespace
