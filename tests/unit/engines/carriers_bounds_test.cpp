// How many carriers there are: made when they are needed, up to a bound, beyond it when the queue stands still, gone when
// idle; and what happens when there is no thread to be had.
#include "engines/carriers.hpp"

#include "engines/carriers_fixture.hpp"
#include "kernel/child.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <random>

namespace {

using namespace laio::test;
using laio::carriers;
using laio::operation;
using laio::word;

constexpr std::int64_t patience_ns = carriers::patience_ns;

std::size_t count_threads() {
    DIR *folder = opendir("/proc/self/task");
    if (folder == nullptr) return 0;
    std::size_t count = 0;
    while (const dirent *entry = readdir(folder)) count += entry->d_name[0] != '.' ? 1 : 0;
    closedir(folder);
    return count;
}

bool come_to(const carriers_by_hand &on, std::uint64_t count) {
    return comes_true([&] { return on.stats().carriers == count; });
}

TEST(carriers_count, is_none_before_they_are_needed) {
    carriers_by_hand on{{}};
    EXPECT_EQ(on.stats().carriers, 0U);
    EXPECT_EQ(on.stats().carriers_created, 0U);
    EXPECT_FALSE(on.engine().is_full());
}

// Once it has handed in there is nothing but the next call that a carrier sleeps for.
bool sleeps(int thread) {
    std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
    const std::string line{std::istreambuf_iterator<char>(file), {}};
    const std::size_t name_end = line.rfind(')');
    return name_end != std::string::npos && line.compare(name_end, 3, ") S") == 0;
}

TEST(carriers_count, is_one_for_calls_one_after_another) {
    carriers_by_hand on{{}};
    const ends gate = make_pipe();
    for (std::size_t i = 1; i <= 50; ++i) {
        operation &op = on.block_on(gate);
        ASSERT_TRUE(on.is_taken(op));
        const int thread = op.runner.load();
        put(gate.writer, "x");
        ASSERT_TRUE(on.collect_up_to(i));
        ASSERT_TRUE(comes_true([&] { return sleeps(thread); }));
        ASSERT_EQ(on.stats().carriers_created, 1U) << "the idle one was not used";
    }
    EXPECT_EQ(on.stats().carriers, 1U);
    EXPECT_EQ(on.stats().queued, 50U);
    EXPECT_EQ(on.stats().queue_depth, 0U);
}

TEST(carriers_count, grows_up_to_its_bound) {
    carriers_by_hand on{{3, 3}};
    const ends gate = make_pipe();
    given all;
    for (std::uint64_t i = 1; i <= 8; ++i) {
        operation &op = on.block_on(gate);
        all.push_back(&op);
        if (i <= 3) { ASSERT_TRUE(on.is_taken(op)) << "there is no carrier for it"; }
        EXPECT_EQ(on.stats().carriers, i < 3 ? i : 3U);
    }
    EXPECT_EQ(on.stats().queue_depth, 5U);
    EXPECT_EQ(on.stats().queue_depth_peak, 5U);
    EXPECT_FALSE(on.engine().is_full()) << "there is no room for another, ever";
    for (int i = 0; i < 5; ++i) EXPECT_EQ(on.engine().look_at_queue(), patience_ns);
    EXPECT_EQ(on.stats().carriers, 3U);
    put(gate.writer, "12345678");
    ASSERT_TRUE(on.collect_up_to(8));
    for (const operation *op : all) EXPECT_EQ(op->result, 1);
    EXPECT_EQ(on.stats().carriers_created, 3U);
    EXPECT_EQ(on.stats().carriers_peak, 3U);
    EXPECT_EQ(on.stats().queue_depth, 0U);
}

TEST(carriers_count, may_be_less_by_a_hard_bound_that_is_none) {
    carriers_by_hand on{{2, 1}};
    const ends gate = make_pipe();
    operation &first = on.block_on(gate);
    operation &second = on.block_on(gate);
    EXPECT_TRUE(on.is_taken(first) && on.is_taken(second)) << "the bound is at least the soft one";
    on.block_on(gate);
    EXPECT_FALSE(on.engine().is_full());
    put(gate.writer, "123");
    EXPECT_TRUE(on.collect_up_to(3));
}

// They may all wait for what a queued call would release.
TEST(carriers_beyond_the_bound, are_made_when_the_queue_stands_still) {
    carriers_by_hand on{{1, 3}};
    const ends gate = make_pipe();
    operation &first = on.block_on(gate);
    ASSERT_TRUE(on.is_taken(first));
    EXPECT_FALSE(on.engine().is_full()) << "nobody waits";
    operation &second = on.block_on(gate);
    operation &third = on.block_on(gate);
    on.block_on(gate);
    EXPECT_TRUE(on.engine().is_full());
    EXPECT_EQ(on.engine().look_at_queue(), patience_ns) << "the first was taken since the last look";
    EXPECT_EQ(on.stats().carriers, 1U);
    EXPECT_LT(on.engine().look_at_queue(), patience_ns) << "from now on it goes faster";
    EXPECT_EQ(on.stats().carriers, 2U);
    ASSERT_TRUE(on.is_taken(second));
    EXPECT_LT(on.engine().look_at_queue(), patience_ns) << "only by the one added";
    ASSERT_TRUE(on.is_taken(third));
    EXPECT_EQ(on.stats().carriers, 3U);
    EXPECT_FALSE(on.engine().is_full()) << "the hard bound";
    for (int i = 0; i < 3; ++i) on.engine().look_at_queue();
    EXPECT_EQ(on.stats().carriers, 3U);
    EXPECT_EQ(on.stats().queue_depth, 1U);
    put(gate.writer, "1234");
    ASSERT_TRUE(on.collect_up_to(4));
    // those beyond the bound do not stay, though they may idle for minutes
    EXPECT_TRUE(comes_true([&] { return on.stats().carriers <= 1; }));
    EXPECT_EQ(on.stats().carriers_peak, 3U);
}

TEST(carriers_beyond_the_bound, release_what_the_others_wait_for) {
    carriers_by_hand on{{2, 4}};
    const ends gate = make_pipe();
    operation &a = on.block_on(gate);
    operation &b = on.block_on(gate);
    ASSERT_TRUE(on.is_taken(a) && on.is_taken(b));
    operation &key = on.start(SYS_write, {gate.writer.get(), word("xy"), 2});
    on.engine().look_at_queue();
    on.engine().look_at_queue();
    ASSERT_TRUE(on.collect_up_to(3));
    EXPECT_EQ(key.result, 2);
}

// ---- Idle ones -----------------------------------------------------------------------------------------------------

TEST(idle_carriers, end_and_are_made_again) {
    const std::size_t before = count_threads();
    carriers_by_hand on{{4, 4, 1}};
    const ends gate = make_pipe();
    std::size_t count = 0;
    for (std::uint64_t round = 1; round <= 3; ++round) {
        for (int i = 0; i < 4; ++i) ASSERT_TRUE(on.is_taken(on.block_on(gate)));
        EXPECT_EQ(on.stats().carriers, 4U);
        EXPECT_EQ(on.stats().carriers_created, 4 * round);
        put(gate.writer, "1234");
        ASSERT_TRUE(on.collect_up_to(count += 4));
        ASSERT_TRUE(come_to(on, 0));
    }
    EXPECT_EQ(on.stats().carriers_peak, 4U);
    on.engine().stop();
    EXPECT_TRUE(comes_true([&] { return count_threads() == before; }));
}

TEST(idle_carriers, stay_as_long_as_they_may) {
    carriers_by_hand on{{4, 4, 600'000}};
    const ends gate = make_pipe();
    for (int i = 0; i < 4; ++i) on.block_on(gate);
    put(gate.writer, "1234");
    ASSERT_TRUE(on.collect_up_to(4));
    EXPECT_EQ(on.stats().carriers, 4U);
    EXPECT_EQ(on.stats().carriers_created, 4U);
}

// A call that comes just when the last carrier has had enough.
TEST(idle_carriers, that_leave_do_not_leave_a_call_behind) {
    std::mt19937 random(seed());
    for (const bounds of : {bounds{1, 1, 0}, bounds{2, 2, 0}, bounds{1, 2, 0}}) {
        carriers_by_hand on{of};
        const ends out = make_pipe();
        const int rounds = sanitized ? 2000 : 20'000;
        operation &op = on.made.make(SYS_write, {out.writer.get(), word("a"), 1});
        for (int round = 1; round <= rounds; ++round) {
            ASSERT_EQ(on.begin(op), 0);
            ASSERT_TRUE(on.collect_up_to(static_cast<std::size_t>(round))) << "round " << round << ": nobody took it";
            if (round % 1000 == 0) drain(out.reader);
            for (std::size_t pause = random() % 3000; pause > 0; --pause) asm volatile("");
        }
        EXPECT_TRUE(come_to(on, 0)) << "they do not end by themselves";
    }
}

// A call that comes just when those beyond the bound go.
TEST(carriers_beyond_the_bound, that_leave_do_not_leave_a_call_behind) {
    std::mt19937 random(seed());
    carriers_by_hand on{{1, 2}};
    const ends gate = make_pipe();
    const ends out = make_pipe();
    char byte = 0;
    operation &a = on.made.make(SYS_read, {gate.reader.get(), word(&byte), 1});
    operation &b = on.made.make(SYS_read, {gate.reader.get(), word(&byte), 1});
    operation &next = on.made.make(SYS_write, {out.writer.get(), word("n"), 1});
    std::size_t count = 0;
    for (int round = 0; round < (sanitized ? 1000 : 4000); ++round) {
        ASSERT_EQ(on.begin(a), 0);
        ASSERT_TRUE(on.is_taken(a));
        ASSERT_EQ(on.begin(b), 0);
        while (b.runner.load() == 0) {
            if (on.engine().is_full()) on.engine().look_at_queue();
            sched_yield();
        }
        put(gate.writer, "xy");
        for (std::size_t pause = random() % 2000; pause > 0; --pause) asm volatile("");
        ASSERT_EQ(on.begin(next), 0);
        // as a loop does: it looks at the queue again later if it stands still and there may be one more
        if (on.engine().is_full()) {
            on.engine().look_at_queue();
            on.engine().look_at_queue();
        }
        ASSERT_TRUE(on.collect_up_to(count += 3)) << "round " << round << ": nobody took it";
        if (round % 1000 == 0) drain(out.reader);
    }
}

// ---- The end -------------------------------------------------------------------------------------------------------

TEST(stopping, ends_every_thread) {
    const std::size_t before = count_threads();
    for (int round = 0; round < 50; ++round) {
        carriers_by_hand on{{4, 4, static_cast<std::uint32_t>(round % 3)}};
        const ends out = make_pipe();
        for (int i = 0; i < 8; ++i) on.write_letter(out, "a");
        ASSERT_TRUE(on.collect_up_to(8));
        on.engine().stop();
        EXPECT_EQ(on.stats().carriers, 0U);
        on.engine().stop(); // nothing to do
    }
    EXPECT_TRUE(comes_true([&] { return count_threads() == before; }));
}

TEST(stopping, needs_no_thread) {
    carriers_by_hand on{{}};
    on.engine().stop();
    EXPECT_EQ(on.stats().carriers_created, 0U);
}

// ---- The child of a fork -------------------------------------------------------------------------------------------

TEST(child_of_a_fork, gives_up_the_threads_that_it_does_not_have) {
    laio_options options{};
    options.carriers_max = 2;
    options.carriers_hard_max = 2;
    options.carrier_idle_ms = 600'000;
    const descriptor alarm(eventfd(0, EFD_CLOEXEC));
    operations made;
    carriers one;
    ASSERT_EQ(one.open(options, alarm.get()), 0);
    const ends pipe = make_pipe();
    char byte = 0;
    operation &op = made.make(SYS_read, {pipe.reader.get(), word(&byte), 1});
    ASSERT_EQ(one.start(op), 0);
    const auto end = in_child([&] {
        one.abandon();
        one.stop(); // nobody to wait for
        return 0L;
    });
    EXPECT_TRUE(end.returned) << end;
    put(pipe.writer, "x");
    EXPECT_TRUE(becomes_readable(alarm.get())) << "the parent's go on";
    laio::operation_list handed_in;
    one.collect(handed_in);
    EXPECT_EQ(made.take(handed_in), (given{&op}));
    one.stop();
}

// ---- No thread to be had -------------------------------------------------------------------------------------------

bool refuse_threads() { return refuse_calls({SYS_clone, SYS_clone3}, EAGAIN); }

TEST(no_thread, is_said_and_the_call_stays_the_callers) {
    const auto end = in_child([] {
        carriers_by_hand on{{}};
        if (on.opened != 0) return 1L;
        if (!refuse_threads()) return cannot;
        const ends out = make_pipe();
        operation &op = on.made.make(SYS_write, {out.writer.get(), word("a"), 1});
        for (int i = 0; i < 3; ++i)
            if (const int r = on.begin(op); r != -EAGAIN) return 2L;
        const struct laio_stats stats = on.stats();
        if (stats.carriers != 0 || stats.carriers_created != 0 || stats.queue_depth != 0 || stats.queued != 0)
            return 3L;
        if (on.engine().is_full() || on.engine().has_handed_in()) return 4L;
        return drain(out.reader).empty() ? 0L : 5L;
    });
    if (end.value == cannot) GTEST_SKIP() << "no filter of calls to be had";
    EXPECT_EQ(end.value, 0) << end;
}

TEST(no_thread, but_those_that_are_there_do_the_work) {
    const auto end = in_child([] {
        carriers_by_hand on{{4, 8}};
        const ends gate = make_pipe();
        const ends out = make_pipe();
        operation &first = on.block_on(gate);
        if (!on.is_taken(first)) return 1L;
        if (!refuse_threads()) return cannot;
        for (const char *letter : {"a", "b", "c"})
            if (on.begin(on.made.make(SYS_write, {out.writer.get(), word(letter), 1})) != 0) return 2L;
        if (on.stats().carriers != 1 || on.stats().queue_depth != 3) return 3L;
        if (!on.engine().is_full()) return 4L; // so that the loop tries again
        on.engine().look_at_queue();
        if (on.engine().look_at_queue() >= patience_ns) return 5L;
        put(gate.writer, "x");
        if (!on.collect_up_to(4)) return 6L;
        return drain(out.reader) == "abc" && on.stats().carriers_created == 1 ? 0L : 7L;
    });
    if (end.value == cannot) GTEST_SKIP() << "no filter of calls to be had";
    EXPECT_EQ(end.value, 0) << end;
}

// ---- What is counted -----------------------------------------------------------------------------------------------

TEST(statistics, of_the_queue_add_up) {
    carriers_by_hand on{{1, 1}};
    const ends gate = make_pipe();
    ASSERT_TRUE(on.is_taken(on.block_on(gate)));
    const std::uint64_t waited_before_ns = on.stats().queue_wait_ns;
    on.block_on(gate);
    on.block_on(gate);
    const std::int64_t until_ns = laio::now_ns() + 2'000'000;
    ASSERT_TRUE(comes_true([&] { return laio::now_ns() > until_ns; }));
    put(gate.writer, "123");
    ASSERT_TRUE(on.collect_up_to(3));
    const struct laio_stats stats = on.stats();
    EXPECT_EQ(stats.queued, 3U);
    EXPECT_EQ(stats.queue_depth_peak, 2U);
    EXPECT_GE(stats.queue_wait_max_ns, 2'000'000U);
    EXPECT_GE(stats.queue_wait_ns, waited_before_ns + std::uint64_t{2} * 2'000'000);
    EXPECT_GE(stats.queue_wait_ns, stats.queue_wait_max_ns);
}

} // namespace
