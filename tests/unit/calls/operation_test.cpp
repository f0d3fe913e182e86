// An operation's size, its life, what it holds, and the lists it is in.
#include "calls/operation.hpp"

#include "unit/calls/files.hpp"
#include "unit/calls/trial.hpp"

#include <csignal>
#include <vector>

namespace {

using laio::enter;
using laio::operation;
using laio::operation_list;
using laio::prepare;
using laio::release;
using laio::state;
using laio::test::descriptor;

static_assert(sizeof(operation) <= 512);

const char *name_of(state s) {
    constexpr const char *names[] = {"free", "waiting", "queued", "running", "cancelling", "done"};
    return names[static_cast<std::size_t>(s)];
}

// ---- States ----------------------------------------------------------------------------------------------------------

TEST(life_of_an_operation, goes_every_way_that_the_engines_need) {
    using enum state;
    const std::vector<std::vector<state>> lives = {
        {waiting, done, free},                     // a descriptor was ready
        {waiting, queued, done, free},             // a carrier made it
        {waiting, running, done, free},            // the ring made it
        {waiting, queued, cancelling, done, free}, // its end was asked for
        {waiting, running, cancelling, done, free},
        {waiting, running, waiting, running, done, free}, // the ring moved a part of it
        {waiting, running, waiting, queued, done, free},  // the ring refused it
    };
    operation op{};
    for (const auto &life : lives) {
        for (const state next : life) {
            enter(op, next);
            ASSERT_EQ(op.now, next);
        }
    }
}

TEST(life_of_an_operation, any_other_step_ends_the_process) {
    using enum state;
    struct step {
        state from;
        state to;
    };
    const step steps[] = {
        {free, done},          {free, cancelling},   {free, free},       // nothing is handed over that was never begun
        {waiting, free},       {queued, free},       {running, free},    // nor forgotten before it is done
        {cancelling, free},    {done, done},         {done, waiting},    // one completion each
        {done, queued},        {done, running},      {done, cancelling}, // and none is begun again
        {cancelling, waiting}, {cancelling, queued}, {cancelling, running},
    };
    for (const step &one : steps) {
        SCOPED_TRACE(std::string{name_of(one.from)} + " -> " + name_of(one.to));
        operation op{};
        op.now = one.from;
        EXPECT_EXIT(enter(op, one.to), testing::KilledBySignal(SIGABRT), "");
    }
}

// ---- What it holds ---------------------------------------------------------------------------------------------------

TEST(an_operation, is_fresh_for_the_next_call_whatever_the_last_one_left) {
    const long read_arguments[6] = {7, 1, 2, 3, 4, 5};
    operation op{};
    op.index = 11;
    op.generation = 12;
    op.timed_out = op.positional = true;
    op.fruitless = 9;
    op.moved = op.wanted = 99;
    op.data = &op;
    op.deadline_ns = 77;
    op.waits_for = laio::until::carrier;
    op.own_descriptor = 1000;

    prepare(op, *laio::find_row(SYS_read), SYS_read, read_arguments);

    EXPECT_STREQ(op.what->name, "read");
    EXPECT_EQ(op.made.number, SYS_read);
    for (int i = 0; i < 6; ++i) EXPECT_EQ(op.made.a[i], read_arguments[i]);
    EXPECT_EQ(op.descriptor, 7);
    EXPECT_EQ(op.index, 11U);
    EXPECT_EQ(op.generation, 12U);
    EXPECT_FALSE(op.timed_out);
    EXPECT_FALSE(op.positional);
    EXPECT_EQ(op.fruitless, 0);
    EXPECT_EQ(op.moved, 0U);
    EXPECT_EQ(op.wanted, 0U);
    EXPECT_EQ(op.data, nullptr);
    EXPECT_EQ(op.deadline_ns, 0);
    EXPECT_EQ(op.waits_for, laio::until::nothing);
    EXPECT_EQ(op.vector, nullptr);
    EXPECT_EQ(op.copied, nullptr);
    EXPECT_EQ(op.own_descriptor, -1);
}

// Whether memory was given back is for the address sanitizer to say.
TEST(releasing_an_operation, closes_its_own_descriptor_and_forgets_its_copies) {
    operation op{};
    op.own_descriptor = eventfd(0, EFD_CLOEXEC);
    ASSERT_GE(op.own_descriptor, 0);
    const int number = op.own_descriptor;
    op.vector = static_cast<iovec *>(std::malloc(100 * sizeof(iovec)));
    op.copied = std::malloc(100);

    release(op);

    EXPECT_EQ(fcntl(number, F_GETFD), -1);
    EXPECT_EQ(op.own_descriptor, -1);
    EXPECT_EQ(op.vector, nullptr);
    EXPECT_EQ(op.copied, nullptr);
    const descriptor same_number{eventfd(0, EFD_CLOEXEC)};
    EXPECT_EQ(same_number, number);
    release(op); // a second time there is nothing to close
    EXPECT_NE(fcntl(number, F_GETFD), -1);
}

TEST(releasing_an_operation, leaves_the_room_inside_it_alone) {
    operation op{};
    op.own_descriptor = -1;
    op.vector = op.vector_inside;
    release(op);
    EXPECT_EQ(op.vector, nullptr);
}

TEST(releasing_an_operation, does_each_of_its_parts_alone) {
    operation op{};
    op.own_descriptor = -1;
    op.copied = std::malloc(100);
    release(op);
    EXPECT_EQ(op.copied, nullptr);
    op.own_descriptor = eventfd(0, EFD_CLOEXEC);
    const int number = op.own_descriptor;
    ASSERT_GE(number, 0);
    release(op);
    EXPECT_EQ(fcntl(number, F_GETFD), -1);
}

// ---- Lists -----------------------------------------------------------------------------------------------------------

class a_list : public testing::Test {
protected:
    operation ops[5]{};
    operation_list list;

    using order = std::vector<operation *>;

    void push_all() {
        for (operation &op : ops) list.push(op);
    }
    order pop_all() {
        order popped;
        while (operation *op = list.pop()) popped.push_back(op);
        return popped;
    }
};

TEST_F(a_list, is_empty_until_something_is_in_it) {
    EXPECT_TRUE(list.empty());
    EXPECT_EQ(list.pop(), nullptr);
    list.push(ops[0]);
    EXPECT_FALSE(list.empty());
    EXPECT_EQ(list.pop(), &ops[0]);
    EXPECT_TRUE(list.empty());
}

TEST_F(a_list, gives_the_first_first) {
    push_all();
    EXPECT_EQ(pop_all(), (order{&ops[0], &ops[1], &ops[2], &ops[3], &ops[4]}));
}

TEST_F(a_list, can_lose_any_of_its_members) {
    for (std::size_t lost = 0; lost < 5; ++lost) {
        push_all();
        list.remove(ops[lost]);
        order expected{&ops[0], &ops[1], &ops[2], &ops[3], &ops[4]};
        expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(lost));
        EXPECT_EQ(pop_all(), expected) << "without " << lost;
        EXPECT_TRUE(list.empty());
    }
}

TEST_F(a_list, takes_a_member_back_at_its_end) {
    push_all();
    list.remove(ops[4]);
    list.remove(ops[0]);
    list.push(ops[0]);
    list.push(ops[4]);
    EXPECT_EQ(pop_all(), (order{&ops[1], &ops[2], &ops[3], &ops[0], &ops[4]}));
}

} // namespace
