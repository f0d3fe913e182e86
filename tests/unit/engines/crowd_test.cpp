// Who waits in the crowd of senders, and who does not.
#include "engines/crowd.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace {

using laio::crowd;
using laio::in_crowd;
using laio::operation;

std::unique_ptr<operation> make_step(bool is_crowded) {
    auto made = std::make_unique<operation>();
    made->crowded = is_crowded;
    made->crowd = in_crowd::no;
    return made;
}

TEST(crowd, gives_turns_in_order_and_only_while_few_send) {
    crowd senders;
    std::unique_ptr<operation> sending[8];
    for (auto &one : sending) {
        one = make_step(true);
        senders.began(*one);
    }
    const auto first = make_step(true);
    const auto second = make_step(true);
    senders.hold(*first);
    senders.hold(*second);
    EXPECT_EQ(senders.next(), nullptr) << "eight send";
    senders.ended(*sending[0]);
    EXPECT_EQ(senders.next(), first.get());
    EXPECT_EQ(first->crowd, in_crowd::no);
    senders.began(*first);
    EXPECT_EQ(senders.next(), nullptr);
    senders.ended(*first);
    senders.ended(*first); // counted once
    EXPECT_EQ(senders.next(), second.get());
    EXPECT_EQ(senders.next(), nullptr) << "nobody waits";
}

TEST(crowd, counts_each_sender_once) {
    crowd senders;
    const auto one = make_step(true);
    for (int i = 0; i < 100; ++i) senders.began(*one);
    const auto waiting = make_step(true);
    senders.hold(*waiting);
    EXPECT_EQ(senders.next(), waiting.get());
}

TEST(crowd, is_left_by_one_that_is_cancelled) {
    crowd senders;
    const auto one = make_step(true);
    senders.hold(*one);
    senders.remove(*one);
    EXPECT_EQ(one->crowd, in_crowd::no);
    EXPECT_EQ(senders.next(), nullptr);
}

TEST(crowd, nobody_with_little_queued_waits) {
    crowd senders;
    std::unique_ptr<operation> sending[20];
    for (auto &one : sending) {
        one = make_step(true);
        senders.began(*one);
    }
    EXPECT_FALSE(senders.must_wait(*make_step(false)));
    const auto small = make_step(false);
    senders.began(*small);
    EXPECT_EQ(small->crowd, in_crowd::no) << "and none is counted";
}

} // namespace
