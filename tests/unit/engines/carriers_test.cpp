// Calls on carriers: their results, their order, cancelling one in the queue, on a carrier and when it is over.
// How many carriers there are is in carriers_bounds_test.cpp.
#include "engines/carriers.hpp"

#include "engines/carriers_fixture.hpp"
#include "kernel/interruptible.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <random>

namespace {

using namespace laio::test;
using laio::operation;
using laio::system_call;
using laio::word;

constexpr bounds one_carrier{1, 1};

// ---- Calls ---------------------------------------------------------------------------------------------------------

TEST(call_on_a_carrier, returns_what_the_kernel_returned) {
    carriers_by_hand on{{}};
    ASSERT_EQ(on.opened, 0);
    EXPECT_FALSE(on.engine().has_handed_in());
    const descriptor file = make_file("content");
    char bytes[8]{};
    operation &good = on.start(SYS_pread64, {file.get(), word(bytes), 7, 0});
    ASSERT_TRUE(on.collect_up_to(1));
    operation &bad = on.start(SYS_close, {-1});
    ASSERT_TRUE(on.collect_up_to(2));
    EXPECT_FALSE(on.engine().has_handed_in());
    EXPECT_EQ(good.result, 7);
    EXPECT_STREQ(bytes, "content");
    EXPECT_EQ(bad.result, -EBADF);
    EXPECT_EQ(on.order, (given{&good, &bad}));
}

TEST(call_on_a_carrier, is_only_what_is_left_of_it) {
    carriers_by_hand on{{}};
    const descriptor file = make_file("content");
    char bytes[8] = "xyz    ";
    operation &op = on.made.make(SYS_pread64, {file.get(), word(bytes), 7, 0});
    op.moved = 3;
    ASSERT_EQ(on.begin(op), 0);
    ASSERT_TRUE(on.collect_up_to(1));
    EXPECT_EQ(op.result, 4);
    EXPECT_STREQ(bytes, "xyztent");
}

TEST(call_on_a_carrier, may_block) {
    carriers_by_hand on{{}};
    const ends pipe = make_pipe();
    operation &op = on.block_on(pipe);
    ASSERT_TRUE(on.is_taken(op));
    EXPECT_FALSE(on.engine().has_handed_in());
    EXPECT_FALSE(is_readable(on.alarm()));
    put(pipe.writer, "x");
    ASSERT_TRUE(on.collect_up_to(1));
    EXPECT_EQ(op.result, 1);
    EXPECT_EQ(op.runner.load(), 0);
}

// The carriers go on for a call whose descriptor was made non-blocking after it was made.
TEST(call_on_a_carrier, waits_also_where_its_descriptor_does_not) {
    carriers_by_hand on{{}};
    const ends pipe = make_pipe();
    const ends full = make_pipe();
    fill_up(full.writer);
    fcntl(pipe.reader.get(), F_SETFL, O_NONBLOCK);
    fcntl(full.writer.get(), F_SETFL, O_NONBLOCK);
    operation &reads = on.block_on(pipe);
    operation &writes = on.write_letter(full, "w");
    operation &cancelled = on.write_letter(full, "c");
    ASSERT_TRUE(on.is_taken(reads) && on.is_taken(writes) && on.is_taken(cancelled));
    EXPECT_FALSE(on.cancel(cancelled));
    ASSERT_TRUE(on.collect_up_to(1));
    EXPECT_EQ(on.order, (given{&cancelled}));
    EXPECT_EQ(cancelled.result, -ECANCELED);
    put(pipe.writer, "x");
    ASSERT_TRUE(on.collect_up_to(2));
    EXPECT_EQ(reads.result, 1);
    drain(full.reader);
    ASSERT_TRUE(on.collect_up_to(3));
    EXPECT_EQ(writes.result, 1);
}

TEST(call_on_a_carrier, may_itself_say_that_it_would_block) {
    carriers_by_hand on{{}};
    const ends pipe = make_pipe();
    fcntl(pipe.reader.get(), F_SETFL, O_NONBLOCK);
    const ends target = make_pipe();
    // splice(2) has no form of its own: its answer stands
    operation &op = on.start(SYS_splice, {pipe.reader.get(), 0, target.writer.get(), 0, 1, 0});
    ASSERT_TRUE(on.collect_up_to(1));
    EXPECT_EQ(op.result, -EAGAIN);
}

TEST(call_on_a_carrier, is_made_again_after_a_signal_for_another) {
    carriers_by_hand on{{}};
    const int signal = laio::take_cancel_signal(0);
    ASSERT_GT(signal, 0);
    const ends pipe = make_pipe();
    operation &op = on.block_on(pipe);
    ASSERT_TRUE(on.is_taken(op));
    for (int i = 0; i < 200; ++i) {
        EXPECT_EQ(system_call(SYS_tgkill, getpid(), op.runner.load(), signal), 0);
        sched_yield();
    }
    EXPECT_FALSE(on.engine().has_handed_in());
    put(pipe.writer, "x");
    ASSERT_TRUE(on.collect_up_to(1));
    EXPECT_EQ(op.result, 1);
}

// Signals of the application are for its own threads.
TEST(carrier_thread, has_a_name_and_blocks_all_signals_but_one) {
    carriers_by_hand on{{}};
    const int signal = laio::take_cancel_signal(0);
    const ends pipe = make_pipe();
    operation &op = on.block_on(pipe);
    ASSERT_TRUE(on.is_taken(op));
    std::ifstream status("/proc/self/task/" + std::to_string(op.runner.load()) + "/status");
    std::string name;
    unsigned long long blocked = 0;
    for (std::string word; status >> word;) {
        if (word == "Name:") status >> name;
        if (word == "SigBlk:") status >> std::hex >> blocked;
    }
    EXPECT_EQ(name, "laio-carrier");
    const auto blocks = [&](int number) { return (blocked >> (number - 1) & 1) != 0; };
    EXPECT_FALSE(blocks(signal));
    for (const int other : {SIGINT, SIGTERM, SIGUSR1, SIGALRM, SIGCHLD, SIGIO, SIGPROF, SIGPIPE})
        EXPECT_TRUE(blocks(other)) << other;
    for (int other = SIGRTMIN; other <= SIGRTMAX; ++other) EXPECT_EQ(blocks(other), other != signal) << other;
}

// ---- Order ---------------------------------------------------------------------------------------------------------

TEST(order_of_calls, is_first_come_first_served) {
    carriers_by_hand on{one_carrier};
    const ends gate = make_pipe();
    const ends out = make_pipe();
    const char *letters = "abcdefghijklmnopqrstuvwxyz";
    given all{&on.block_on(gate)};
    for (const char *letter = letters; *letter != '\0'; ++letter) all.push_back(&on.write_letter(out, letter));
    put(gate.writer, "x");
    ASSERT_TRUE(on.collect_up_to(27));
    EXPECT_EQ(drain(out.reader), letters);
    EXPECT_EQ(on.order, all);
    for (const operation *op : all) EXPECT_EQ(op->result, 1);
}

TEST(order_of_results, is_that_of_their_ends) {
    carriers_by_hand on{{}};
    const ends gates[3] = {make_pipe(), make_pipe(), make_pipe()};
    operation *ops[3];
    for (int i = 0; i < 3; ++i) ops[i] = &on.block_on(gates[i]);
    std::size_t count = 0;
    for (const int i : {1, 2, 0}) {
        put(gates[i].writer, "x");
        ASSERT_TRUE(on.collect_up_to(++count));
    }
    EXPECT_EQ(on.order, (given{ops[1], ops[2], ops[0]}));
}

TEST(alarm, rings_once_until_it_is_answered) {
    carriers_by_hand on{one_carrier};
    const ends gate = make_pipe();
    const ends last = make_pipe();
    const ends out = make_pipe();
    on.block_on(gate);
    on.write_letter(out, "a");
    on.write_letter(out, "b");
    operation &behind = on.block_on(last);
    put(gate.writer, "x");
    ASSERT_TRUE(on.is_taken(behind)); // so those before it are handed in
    EXPECT_TRUE(on.engine().has_handed_in());
    EXPECT_EQ(on.read_alarm(), 1U);
    EXPECT_EQ(on.take(), 3U);
    put(last.writer, "x");
    EXPECT_TRUE(becomes_readable(on.alarm())) << "nobody heard of the next one";
    EXPECT_EQ(on.take(), 1U);
}

// ---- Cancelling ----------------------------------------------------------------------------------------------------

TEST(cancelled_call, in_the_queue_is_not_made) {
    carriers_by_hand on{one_carrier};
    const ends gate = make_pipe();
    const ends out = make_pipe();
    operation &first = on.block_on(gate);
    ASSERT_TRUE(on.is_taken(first));
    operation &a = on.write_letter(out, "a");
    operation &b = on.write_letter(out, "b");
    operation &c = on.write_letter(out, "c");
    EXPECT_EQ(on.stats().queue_depth, 3U);
    EXPECT_TRUE(on.cancel(b));
    EXPECT_EQ(on.stats().queue_depth, 2U);
    operation &d = on.write_letter(out, "d"); // behind a queue and an inbox that were put together
    EXPECT_TRUE(on.cancel(a));
    put(gate.writer, "x");
    ASSERT_TRUE(on.collect_up_to(3));
    EXPECT_EQ(drain(out.reader), "cd");
    EXPECT_EQ(on.order, (given{&first, &c, &d}));
    EXPECT_EQ(on.stats().queue_depth, 0U);
    // whoever was told of the cancelled ones finds nothing, and goes on
    on.write_letter(out, "e");
    ASSERT_TRUE(on.collect_up_to(4));
    EXPECT_EQ(drain(out.reader), "e");
}

TEST(cancelled_call, on_a_carrier_ends) {
    carriers_by_hand on{{}};
    const ends pipe = make_pipe();
    operation &op = on.block_on(pipe);
    ASSERT_TRUE(on.is_taken(op));
    EXPECT_FALSE(on.cancel(op)) << "a carrier has it";
    ASSERT_TRUE(on.collect_up_to(1));
    EXPECT_EQ(op.result, -ECANCELED);
    EXPECT_EQ(on.stats().carriers, 1U) << "the carrier is still good";
    operation &next = on.block_on(pipe);
    put(pipe.writer, "x");
    ASSERT_TRUE(on.collect_up_to(2));
    EXPECT_EQ(next.result, 1);
}

TEST(cancelled_call, that_moved_something_says_how_much) {
    carriers_by_hand on{{}};
    const ends pipe = make_pipe();
    const std::string bytes(1 << 20, 'x');
    operation &op = on.start(SYS_write, {pipe.writer.get(), word(bytes.data()), static_cast<long>(bytes.size())});
    // the pipe takes no more: the call waits inside the kernel, with a part of it done
    ASSERT_TRUE(comes_true([&] {
        pollfd one{pipe.writer.get(), POLLOUT, 0};
        return ::poll(&one, 1, 0) == 0;
    }));
    EXPECT_FALSE(on.cancel(op));
    ASSERT_TRUE(on.collect_up_to(1));
    EXPECT_EQ(op.result, static_cast<long>(drain(pipe.reader).size()));
    EXPECT_GT(op.result, 0);
}

TEST(cancelled_call, that_is_over_keeps_its_result) {
    carriers_by_hand on{{}};
    const ends out = make_pipe();
    operation &op = on.write_letter(out, "a");
    ASSERT_TRUE(becomes_readable(on.alarm()));
    EXPECT_FALSE(on.cancel(op));
    ASSERT_TRUE(on.collect_up_to(1));
    EXPECT_EQ(op.result, 1);
    EXPECT_EQ(on.order, (given{&op}));
}

// At whatever moment: it is given back once, and either it was made or it was not.
TEST(cancelled_call, at_any_moment_comes_back_once) {
    std::mt19937 random(seed());
    carriers_by_hand on{{3, 3}};
    const ends out = make_pipe();
    std::size_t written = 0;
    std::size_t queued = 0;
    std::size_t handed_in = 0;
    std::size_t cancelled = 0;
    for (int round = 0; round < 1500; ++round) {
        given all;
        for (int i = 0; i < 4; ++i) {
            operation &op = on.made.make(SYS_write, {out.writer.get(), word("w"), 1});
            ASSERT_EQ(on.begin(op), 0);
            all.push_back(&op);
        }
        for (std::size_t pause = random() % 400; pause > 0; --pause) asm volatile("");
        for (operation *&op : all) {
            if (random() % 3 == 0 || !on.cancel(*op)) continue;
            ASSERT_EQ(on.made.times_given(*op), 0);
            op = nullptr; // it was in the queue
            ++queued;
        }
        for (const operation *op : all) handed_in += op != nullptr ? 1 : 0;
        ASSERT_TRUE(on.collect_up_to(handed_in));
        for (const operation *op : all) {
            if (op == nullptr) continue;
            ASSERT_EQ(on.made.times_given(*op), 1);
            ASSERT_TRUE(op->result == 1 || op->result == -ECANCELED) << op->result;
            if (op->result == 1) ++written;
            else ++cancelled;
        }
        ASSERT_EQ(drain(out.reader).size(), written) << "a call was made that said it was not, or the other way round";
        written = 0;
    }
    EXPECT_EQ(on.stats().queue_depth, 0U);
    EXPECT_EQ(on.stats().queued, 6000U);
    RecordProperty("taken_back_in_the_queue", std::to_string(queued));
    RecordProperty("cancelled_on_a_carrier", std::to_string(cancelled));
}

// ---- Opening -------------------------------------------------------------------------------------------------------

long open_with_signal(int number) {
    laio_options options{};
    options.carriers_max = 1;
    options.cancel_signal = static_cast<std::uint32_t>(number);
    laio::carriers one;
    return one.open(options, -1);
}

TEST(opening, takes_the_signal_that_was_asked_for) {
    const int taken = laio::take_cancel_signal(0); // by whoever came first in this process
    ASSERT_GT(taken, 0);
    EXPECT_EQ(open_with_signal(taken), 0);
    EXPECT_EQ(open_with_signal(0), 0);
    EXPECT_EQ(open_with_signal(taken - 1), -EBUSY);
    EXPECT_EQ(open_with_signal(SIGTERM), -EINVAL);
}

} // namespace
