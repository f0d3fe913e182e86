// Completions come as events, each once, with the call's result (U1, U5, U6), beside libevent's own events (U11); and
// they alone keep the base running (U10).
#include "fixture.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <sys/resource.h>
#include <vector>

namespace laio::test {
namespace {

TEST_P(libevent_base, delivers_a_completion_with_its_result) {
    waiting_read read;
    read.begin_and_add(base);
    EXPECT_TRUE(read.is_pending());
    soon([&] {
        EXPECT_EQ(read.calls, 0);
        read.put('x');
    });
    run();
    EXPECT_TRUE(read.was_called_once(1, 0));
    EXPECT_EQ(read.byte, 'x');
    EXPECT_FALSE(read.is_pending());
    EXPECT_EQ(laio_outstanding(), 0);
}

TEST_P(libevent_base, delivers_a_call_that_was_complete_before_the_event_was_added) {
    waiting_read read;
    read.begin(base);
    read.put();
    read.add();
    run();
    EXPECT_TRUE(read.was_called_once(1, 0));
}

TEST_P(libevent_base, delivers_the_error_of_a_call) {
    const timespec never{3600, 0};
    background_call sleep;
    sleep.begin(base, SYS_nanosleep, &never, nullptr);
    sleep.add();
    soon([&] { EXPECT_EQ(laio_cancel(sleep.event.handle), 0); });
    run();
    EXPECT_TRUE(sleep.was_called_once(-1, ECANCELED)) << "a cancel that is no timeout stays a cancel";
}

TEST_P(libevent_base, write_of_more_than_the_socket_holds_is_one_completion) {
    const descriptor_pair sockets = make_unix_pair();
    const std::vector<char> data(4U << 20U, 'w');
    background_call write;
    write.begin(base, SYS_write, static_cast<long>(sockets.near.get()), data.data(), data.size());
    write.add();
    std::size_t drained = 0;
    watch readable(base, sockets.far.get(), [&] {
        std::array<char, 65536> buffer{};
        const ssize_t n = ::read(sockets.far.get(), buffer.data(), buffer.size());
        ASSERT_GT(n, 0);
        drained += static_cast<std::size_t>(n);
        if (drained == data.size()) readable.stop();
    });
    run();
    EXPECT_TRUE(write.was_called_once(static_cast<long>(data.size()), 0));
    EXPECT_EQ(drained, data.size());
}

TEST_P(libevent_base, drops_completions_that_have_no_event) {
    waiting_read without_event;
    without_event.begin(base);
    without_event.put();
    waiting_read read;
    read.begin_and_add(base);
    put_soon(read);
    run();
    EXPECT_EQ(without_event.calls, 0);
    EXPECT_EQ(read.calls, 1);
}

// ---- With other events, and many of them: U11 -----------------------------------------------------------------------

// Raises the limit of open descriptors to that if it can; what the limit is.
rlim_t allow_descriptors(rlim_t wanted) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, wanted);
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
    return limit.rlim_cur;
}

TEST_P(libevent_base, a_thousand_calls_at_once_and_other_events_get_their_turns) {
    if (std::strcmp(GetParam().method, "select") == 0)
        GTEST_SKIP() << "select(2) cannot watch descriptors from FD_SETSIZE on";
    constexpr std::size_t count = 1000;
    if (const rlim_t limit = allow_descriptors(2 * count + 100); limit < 2 * count + 100)
        GTEST_SKIP() << "needs " << 2 * count + 100 << " descriptors, the limit is " << limit;

    const auto sent = [](std::size_t i) { return static_cast<char>('a' + i % 26); };
    std::deque<waiting_read> reads;
    std::size_t done = 0;
    for (std::size_t i = 0; i < count; ++i) {
        descriptor_pair sockets = make_unix_pair();
        auto &read = reads.emplace_back(pipe_ends{std::move(sockets.near), std::move(sockets.far)});
        read.then = [&] { ++done; };
        read.begin_and_add(base);
    }
    for (std::size_t i = 0; i < count; ++i) reads[i].put(sent(i));
    // A descriptor that is always ready: it has to run long before all thousand have been handed over.
    const pipe_ends busy = make_pipe();
    write_all(busy.writer.get(), "!");
    int ticks = 0;
    std::size_t done_at_first_tick = 0;
    watch ready(base, busy.reader.get(), [&] {
        if (ticks++ == 0) done_at_first_tick = done;
        if (done == count) ready.stop();
    });
    run();
    EXPECT_EQ(done, count);
    for (std::size_t i = 0; i < count; ++i) {
        ASSERT_TRUE(reads[i].was_called_once(1, 0));
        ASSERT_EQ(reads[i].byte, sent(i));
    }
    EXPECT_LT(done_at_first_tick, count / 2) << "completions came in one unbounded batch";
    EXPECT_GE(ticks, 3);
}

TEST_P(libevent_base, sockets_timers_and_calls_mixed) {
    const descriptor_pair sockets = make_unix_pair();
    std::string order;
    waiting_read read;
    waiting_read timed;
    read.then = [&] {
        order += 'r';
        write_all(sockets.far.get(), "!");
    };
    timed.then = [&] {
        order += 't';
        EXPECT_EQ(timed.error, ETIMEDOUT);
        read.put();
    };
    read.begin_and_add(base);
    timed.begin_and_add(base, &a_moment);
    watch readable(base, sockets.near.get(), [&] {
        order += 's';
        readable.stop();
    });
    run();
    EXPECT_EQ(order, "trs");
}

// ---- What keeps the base running: U10 -------------------------------------------------------------------------------

TEST_P(libevent_base, attached_base_without_events_ends_at_once) { run(); }

TEST_P(libevent_base, base_ends_when_the_last_event_was_delivered_or_deleted) {
    for (int round = 0; round < 3; ++round) {
        waiting_read delivered;
        delivered.begin_and_add(base);
        put_soon(delivered);
        run();
        EXPECT_EQ(delivered.calls, 1);

        waiting_read deleted;
        deleted.begin_and_add(base);
        soon([&] { EXPECT_EQ(laio_event_del(&deleted.event), 0); });
        run();
        EXPECT_EQ(deleted.calls, 0);
        fetch_the_rest(); // before the memory of `deleted` goes
    }
}

} // namespace
} // namespace laio::test
