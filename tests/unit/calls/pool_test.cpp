// The pool: handles that are out of date, made up or another loop's; its bound; memory that is not to be had.
#include "calls/pool.hpp"

#include "unit/calls/files.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <set>
#include <sys/resource.h>
#include <vector>

namespace {

using laio::enter;
using laio::operation;
using laio::pool;
using laio::state;

// As the loop begins and ends a background call.
operation &begin(pool &from) {
    operation *op = from.take();
    if (op == nullptr) throw std::bad_alloc{};
    enter(*op, state::waiting);
    return *op;
}

void end(pool &from, operation &op) {
    enter(op, state::done);
    enter(op, state::free);
    from.give_back(op);
}

TEST(a_handle, names_its_operation_while_the_call_is_in_the_background) {
    pool ops{1000};
    operation *taken = ops.take();
    ASSERT_NE(taken, nullptr);
    const std::uintptr_t handle = ops.handle_of(*taken);
    EXPECT_NE(handle, 0U);
    EXPECT_EQ(ops.find(handle), nullptr) << "before it went there";
    enter(*taken, state::waiting);
    EXPECT_EQ(ops.find(handle), taken);
    enter(*taken, state::done);
    EXPECT_EQ(ops.find(handle), taken) << "until its completion is handed over";
    enter(*taken, state::free);
    ops.give_back(*taken);
    EXPECT_EQ(ops.find(handle), nullptr);
}

TEST(a_handle, that_is_out_of_date_does_not_name_the_next_call) {
    pool ops{1};
    std::set<std::uintptr_t> old;
    for (int i = 0; i < 1000; ++i) {
        operation &op = begin(ops);
        const std::uintptr_t handle = ops.handle_of(op);
        ASSERT_EQ(ops.find(handle), &op);
        ASSERT_TRUE(old.insert(handle).second) << "given out twice";
        for (const std::uintptr_t gone : old)
            if (gone != handle) { ASSERT_EQ(ops.find(gone), nullptr); }
        end(ops, op);
    }
}

TEST(a_handle, stays_good_when_generations_begin_anew) {
    pool ops{1};
    const pool other{1};
    operation *op = &begin(ops);
    op->generation = (1U << 24) - 1; // as after sixteen million calls
    const std::uintptr_t last = ops.handle_of(*op);
    ASSERT_EQ(ops.find(last), op);
    end(ops, *op);
    do op = &begin(ops);
    while (op->generation != 0); // the one with the first generation again
    EXPECT_EQ(ops.find(ops.handle_of(*op)), op);
    EXPECT_EQ(ops.find(last), nullptr);
    EXPECT_EQ(other.find(ops.handle_of(*op)), nullptr);
}

TEST(a_handle, of_another_loop_means_nothing) {
    pool one{100};
    pool other{100};
    for (int i = 0; i < 100; ++i) { // the same places and generations in both
        operation &mine = begin(one);
        operation &theirs = begin(other);
        EXPECT_NE(one.handle_of(mine), other.handle_of(theirs));
        EXPECT_EQ(one.find(other.handle_of(theirs)), nullptr);
        EXPECT_EQ(other.find(one.handle_of(mine)), nullptr);
    }
}

TEST(a_handle, with_any_bit_changed_means_nothing) {
    pool ops{64};
    operation &op = begin(ops);
    const std::uintptr_t handle = ops.handle_of(op);
    for (unsigned bit = 0; bit < 64; ++bit) EXPECT_EQ(ops.find(handle ^ (std::uintptr_t{1} << bit)), nullptr) << bit;
}

TEST(a_handle, that_was_made_up_names_nothing_or_what_it_says) {
    pool ops{200};
    for (int i = 0; i < 200; ++i) begin(ops);
    for (const std::uintptr_t value :
         {std::uintptr_t{0}, std::uintptr_t{1}, ~std::uintptr_t{0}, std::uintptr_t{1} << 63})
        if (const operation *found = ops.find(value); found != nullptr) { EXPECT_EQ(ops.handle_of(*found), value); }
    EXPECT_EQ(ops.find(0), nullptr);
    EXPECT_EQ(ops.find(reinterpret_cast<std::uintptr_t>(&ops)), nullptr);
    std::mt19937_64 random{1};
    for (int i = 0; i < 100'000; ++i) {
        const std::uintptr_t value = random() >> (random() % 64);
        if (const operation *found = ops.find(value); found != nullptr) { ASSERT_EQ(ops.handle_of(*found), value); }
    }
}

TEST(a_handle, means_nothing_to_an_empty_pool) {
    pool full{64};
    const std::uintptr_t handle = full.handle_of(begin(full));
    const pool empty{64};
    EXPECT_EQ(empty.find(handle), nullptr);
    EXPECT_EQ(empty.find(0), nullptr);
}

TEST(a_pool, gives_each_operation_a_place_of_its_own_that_stays) {
    pool ops{10'000};
    std::vector<operation *> taken;
    std::vector<std::uintptr_t> handles;
    for (int i = 0; i < 10'000; ++i) {
        taken.push_back(&begin(ops));
        taken.back()->data = taken.back();
        handles.push_back(ops.handle_of(*taken.back()));
    }
    EXPECT_EQ(std::set<operation *>(taken.begin(), taken.end()).size(), taken.size());
    EXPECT_EQ(std::set<std::uintptr_t>(handles.begin(), handles.end()).size(), handles.size());
    for (std::size_t i = 0; i < taken.size(); ++i) {
        ASSERT_EQ(ops.find(handles[i]), taken[i]);
        ASSERT_EQ(taken[i]->data, taken[i]);
        ASSERT_EQ(taken[i]->own_descriptor, -1);
    }
}

TEST(a_pool, has_a_bound_rounded_up_and_goes_on_when_something_came_back) {
    for (const std::uint32_t bound : {1U, 63U, 64U, 65U, 1000U}) {
        SCOPED_TRACE(bound);
        pool ops{bound};
        std::vector<operation *> taken;
        while (operation *op = ops.take()) {
            ASSERT_LT(taken.size(), bound + 256) << "no bound";
            taken.push_back(op);
        }
        EXPECT_GE(taken.size(), bound);
        EXPECT_EQ(ops.take(), nullptr);
        ops.give_back(*taken.front());
        EXPECT_EQ(ops.take(), taken.front());
        EXPECT_EQ(ops.take(), nullptr);
    }
}

TEST(a_pool, uses_what_came_back_before_it_grows) {
    pool ops{1'000'000};
    std::set<operation *> seen;
    for (int i = 0; i < 100'000; ++i) {
        operation &op = begin(ops);
        seen.insert(&op);
        end(ops, op);
    }
    EXPECT_LE(seen.size(), 64U);
}

TEST(a_pool, visits_each_operation_that_is_not_free) {
    pool ops{1000};
    std::vector<operation *> taken(300);
    for (operation *&op : taken) op = &begin(ops);
    EXPECT_NE(ops.take(), nullptr); // in the foreground
    std::set<operation *> expected;
    for (std::size_t i = 0; i < taken.size(); ++i) {
        if (i % 3 == 0) end(ops, *taken[i]);
        else expected.insert(taken[i]);
    }
    enter(**expected.begin(), state::done);
    std::multiset<operation *> visited;
    ops.for_each([&visited](operation &op) { visited.insert(&op); });
    EXPECT_EQ(visited, std::multiset<operation *>(expected.begin(), expected.end()));
}

TEST(a_pool, releases_what_comes_back) {
    pool ops{1};
    operation &op = begin(ops);
    const int number = op.own_descriptor = eventfd(0, EFD_CLOEXEC);
    ASSERT_GE(number, 0);
    op.copied = std::malloc(1);
    end(ops, op);
    EXPECT_EQ(fcntl(number, F_GETFD), -1);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// In a child whose memory has a limit: it gives what there is, and what it gave before stays good.
[[noreturn]] void take_until_memory_is_used_up() {
    const rlimit limit{64U << 20U, 64U << 20U};
    if (setrlimit(RLIMIT_AS, &limit) != 0) _exit(2);
    pool ops{16'000'000};
    operation *first = ops.take();
    if (first == nullptr) _exit(3);
    enter(*first, state::waiting);
    const std::uintptr_t handle = ops.handle_of(*first);
    operation *last = nullptr;
    unsigned count = 1;
    for (operation *op = nullptr; (op = ops.take()) != nullptr; ++count) last = op;
    if (count < 1000 || count > 1'000'000 || ops.take() != nullptr) _exit(4);
    if (ops.find(handle) != first) _exit(5);
    ops.give_back(*last);
    _exit(ops.take() == last && ops.take() == nullptr ? 0 : 6);
}

TEST(a_pool, without_memory_says_so_and_goes_on) {
    EXPECT_EXIT(take_until_memory_is_used_up(), testing::ExitedWithCode(0), "");
}
#else
TEST(a_pool, without_memory_says_so_and_goes_on) { GTEST_SKIP() << "a sanitizer needs more memory than the limit"; }
#endif

} // namespace
