// Deadlines: the order they come in, what a cancelled one leaves, the timerfd that tells of them.
//
// The clock is no part of most of this: deadlines of the first nanoseconds after the machine's start are over, and one in
// an hour is not.
#include "engines/timers.hpp"

#include "engines/by_hand.hpp"
#include "kernel/child.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <fstream>
#include <memory>
#include <random>
#include <set>
#include <sys/resource.h>
#include <sys/timerfd.h>

namespace {

using namespace laio::test;
using laio::now_ns;
using laio::operation;
using laio::timers;

constexpr std::int64_t hour_ns = 3600 * second_ns;

class deadlines : public testing::Test {
protected:
    void SetUp() override { ASSERT_EQ(timers_.open(), 0); }
    operation &start(std::int64_t deadline_ns) {
        operation &op = operations_.make(SYS_read, {-1});
        restart(op, deadline_ns);
        return op;
    }
    void restart(operation &op, std::int64_t deadline_ns) {
        op.deadline_ns = deadline_ns;
        ASSERT_EQ(timers_.start(op), 0);
    }
    given take_all() {
        given all;
        while (operation *op = timers_.take_expired()) all.push_back(op);
        return all;
    }
    // How long until the timerfd tells; 0: it is not armed.
    [[nodiscard]] std::int64_t armed_for_ns() const {
        itimerspec left{};
        EXPECT_EQ(timerfd_gettime(timers_.descriptor(), &left), 0);
        return left.it_value.tv_sec * second_ns + left.it_value.tv_nsec;
    }
    void read_timer() const {
        std::uint64_t times = 0;
        EXPECT_EQ(read(timers_.descriptor(), &times, sizeof times), static_cast<ssize_t>(sizeof times));
    }

    operations operations_;
    timers timers_;
};

TEST_F(deadlines, are_none_at_first) {
    EXPECT_TRUE(timers_.is_empty());
    EXPECT_EQ(timers_.take_expired(), nullptr);
    EXPECT_GE(timers_.descriptor(), 0);
    EXPECT_EQ(armed_for_ns(), 0);
    EXPECT_FALSE(is_readable(timers_.descriptor()));
    EXPECT_NE(fcntl(timers_.descriptor(), F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_NE(fcntl(timers_.descriptor(), F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(deadlines, come_in_their_order) {
    operation &third = start(3000);
    operation &first = start(1000);
    operation &fourth = start(4000);
    operation &second = start(2000);
    operation &later = start(now_ns() + hour_ns);
    EXPECT_EQ(take_all(), (given{&first, &second, &third, &fourth}));
    EXPECT_FALSE(timers_.is_empty());
    EXPECT_EQ(timers_.take_expired(), nullptr);
    EXPECT_EQ(first.timer_place, 0) << "it has no deadline there any more";
    EXPECT_NE(later.timer_place, 0);
    timers_.cancel(later);
    EXPECT_TRUE(timers_.is_empty());
}

TEST_F(deadlines, that_are_equal_come_once_each) {
    std::set<operation *> all;
    for (int i = 0; i < 100; ++i) all.insert(&start(i % 2 == 0 ? 5 : 6));
    for (std::size_t i = 0; i < 100; ++i) {
        operation *op = timers_.take_expired();
        ASSERT_NE(op, nullptr);
        EXPECT_EQ(all.erase(op), 1U);
        EXPECT_EQ(op->deadline_ns, i < 50 ? 5 : 6);
    }
    EXPECT_TRUE(timers_.is_empty());
    EXPECT_EQ(timers_.take_expired(), nullptr);
}

TEST_F(deadlines, that_are_cancelled_do_not_come) {
    operation &first = start(1);
    operation &second = start(2);
    operation &third = start(3);
    timers_.cancel(second);
    EXPECT_EQ(second.timer_place, 0);
    timers_.cancel(second); // nothing to do
    EXPECT_EQ(timers_.take_expired(), &first);
    timers_.cancel(first); // likewise: it has come
    EXPECT_EQ(timers_.take_expired(), &third);
    EXPECT_TRUE(timers_.is_empty());
}

TEST_F(deadlines, may_be_set_anew) {
    operation &moved = start(1);
    operation &other = start(2);
    timers_.cancel(moved);
    restart(moved, 3);
    EXPECT_EQ(take_all(), (given{&other, &moved}));
    restart(moved, 4);
    EXPECT_EQ(take_all(), (given{&moved}));
}

// Against a multiset, by actions that a seed decides.
TEST_F(deadlines, are_what_a_sorted_set_says) {
    std::mt19937 random(seed());
    const auto below = [&](std::size_t limit) { return std::size_t{random()} % limit; };
    std::vector<operation *> idle;
    idle.reserve(1500);
    for (int i = 0; i < 1500; ++i) idle.push_back(&operations_.make(SYS_read, {-1}));
    std::vector<operation *> waiting;
    std::multiset<std::int64_t> over;
    std::size_t to_come = 0;
    const std::int64_t soon_ns = now_ns() + hour_ns;
    for (int step = 0; step < 30'000 && !HasFailure(); ++step) {
        const std::size_t action = below(100);
        // more starts than ends in one half, then the other way round
        const bool grows = step / 5'000 % 2 == 0;
        if (action < (grows ? 60U : 30U) && !idle.empty()) {
            operation *op = idle.back();
            idle.pop_back();
            const bool is_over = below(4) != 0;
            restart(*op, is_over ? 1 + static_cast<std::int64_t>(below(400))
                                 : soon_ns + static_cast<std::int64_t>(below(1'000'000)));
            if (is_over) over.insert(op->deadline_ns);
            else ++to_come;
            waiting.push_back(op);
        } else if (action < 80 && !waiting.empty()) {
            const std::size_t place = below(waiting.size());
            operation *op = waiting[place];
            ASSERT_NE(op->timer_place, 0);
            timers_.cancel(*op);
            if (op->deadline_ns < soon_ns) over.erase(over.find(op->deadline_ns));
            else --to_come;
            waiting[place] = waiting.back();
            waiting.pop_back();
            idle.push_back(op);
        } else {
            operation *op = timers_.take_expired();
            if (over.empty()) {
                EXPECT_EQ(op, nullptr) << "step " << step;
                continue;
            }
            ASSERT_NE(op, nullptr) << "step " << step;
            EXPECT_EQ(op->deadline_ns, *over.begin()) << "step " << step;
            over.erase(over.begin());
            const auto found = std::find(waiting.begin(), waiting.end(), op);
            ASSERT_NE(found, waiting.end()) << "given twice";
            waiting.erase(found);
            idle.push_back(op);
        }
        ASSERT_EQ(timers_.is_empty(), waiting.empty());
    }
    while (operation *op = timers_.take_expired()) {
        ASSERT_EQ(op->deadline_ns, *over.begin());
        over.erase(over.begin());
    }
    EXPECT_TRUE(over.empty());
    for (operation *op : waiting) {
        to_come -= op->timer_place != 0 ? 1 : 0;
        timers_.cancel(*op);
    }
    EXPECT_EQ(to_come, 0U);
    EXPECT_TRUE(timers_.is_empty());
}

// ---- The timerfd ---------------------------------------------------------------------------------------------------

using timer_descriptor = deadlines;

TEST_F(timer_descriptor, is_armed_for_the_earliest) {
    start(now_ns() + 3 * hour_ns);
    EXPECT_GT(armed_for_ns(), 2 * hour_ns);
    start(now_ns() + 2 * hour_ns);
    EXPECT_LE(armed_for_ns(), 2 * hour_ns);
    EXPECT_GT(armed_for_ns(), hour_ns);
    start(now_ns() + 4 * hour_ns);
    EXPECT_LE(armed_for_ns(), 2 * hour_ns) << "a later one put it off";
    EXPECT_FALSE(is_readable(timers_.descriptor()));
}

TEST_F(timer_descriptor, tells_of_a_deadline_that_comes) {
    operation &op = start(now_ns() + second_ns / 500);
    operation &later = start(now_ns() + hour_ns);
    EXPECT_TRUE(becomes_readable(timers_.descriptor()));
    EXPECT_EQ(take_all(), (given{&op})) << "told before it was over";
    EXPECT_GT(armed_for_ns(), hour_ns / 2) << "the next one is to be told of";
    EXPECT_FALSE(is_readable(timers_.descriptor())) << "told without reason";
    timers_.cancel(later);
}

TEST_F(timer_descriptor, tells_at_once_of_what_is_over) {
    start(1);
    EXPECT_TRUE(becomes_readable(timers_.descriptor()));
}

// It may tell early, of one that was cancelled; then it has to be armed for the first of those that are left.
TEST_F(timer_descriptor, is_armed_anew_after_a_cancelled_one) {
    operation &later = start(now_ns() + hour_ns);
    operation &cancelled = start(now_ns() + second_ns / 500);
    timers_.cancel(cancelled);
    EXPECT_TRUE(becomes_readable(timers_.descriptor()));
    EXPECT_EQ(timers_.take_expired(), nullptr);
    EXPECT_GT(armed_for_ns(), hour_ns / 2);
    timers_.cancel(later);
}

// Went off for one that was cancelled, and nobody looked: the next deadline lies behind that one.
TEST_F(timer_descriptor, that_went_off_for_nobody_is_armed_for_the_next) {
    operation &cancelled = start(now_ns() + second_ns / 500);
    timers_.cancel(cancelled);
    EXPECT_TRUE(becomes_readable(timers_.descriptor()));
    read_timer();
    operation &next = start(now_ns() + second_ns / 500);
    EXPECT_TRUE(becomes_readable(timers_.descriptor())) << "nobody will hear of the deadline";
    EXPECT_EQ(take_all(), (given{&next}));
}

TEST_F(timer_descriptor, tells_again_and_again) {
    for (int i = 0; i < 20; ++i) {
        operation &op = start(now_ns() + second_ns / 5000);
        ASSERT_TRUE(becomes_readable(timers_.descriptor()));
        ASSERT_EQ(take_all(), (given{&op}));
        read_timer();
    }
}

TEST(timers_end, closes_the_descriptor) {
    auto one = std::make_unique<timers>();
    ASSERT_EQ(one->open(), 0);
    const int number = one->descriptor();
    EXPECT_GE(fcntl(number, F_GETFD), 0);
    one.reset();
    EXPECT_LT(fcntl(number, F_GETFD), 0);
}

// ---- What is not to be had -----------------------------------------------------------------------------------------

TEST(timers_without_a_descriptor, say_so) {
    const auto end = in_child([] {
        const rlimit none{0, 0};
        if (setrlimit(RLIMIT_NOFILE, &none) != 0) return cannot;
        timers one;
        return static_cast<long>(one.open());
    });
    EXPECT_EQ(end.value, -EMFILE) << end;
}

// A large heap of deadlines that may not grow any further.
long fill_until_no_memory() {
    operations made;
    timers one;
    if (one.open() != 0) return 1;
    std::vector<operation *> all(200'000);
    for (operation *&op : all) op = &made.make(SYS_read, {-1});
    rlimit limit{};
    long pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    limit.rlim_cur = limit.rlim_max = static_cast<rlim_t>(pages * sysconf(_SC_PAGESIZE)) + 300'000;
    if (pages == 0 || setrlimit(RLIMIT_AS, &limit) != 0) return cannot;
    std::size_t started = 0;
    int r = 0;
    for (operation *op : all) {
        op->deadline_ns = static_cast<std::int64_t>(all.size() - started);
        r = one.start(*op);
        if (r != 0) break;
        ++started;
    }
    if (r == 0) return cannot; // there was memory for all of them
    if (r != -ENOMEM) return 2;
    if (all[started]->timer_place != 0) return 3;
    for (std::size_t i = started; i-- > 0;)
        if (one.take_expired() != all[i]) return 4;
    return one.is_empty() ? 0 : 5;
}

TEST(timers_without_memory, keep_what_they_have) {
    if (sanitized) GTEST_SKIP() << "the sanitizer ends a program that has no memory";
    const auto end = in_child(fill_until_no_memory);
    if (end.value == cannot) GTEST_SKIP() << "no limit for memory to be had";
    EXPECT_EQ(end.value, 0) << end;
}

} // namespace
