// Waiting where the application has promised LAIO_CLOSES_TOLD: a registration stays between waits, and no edge is lost that an
// attempt after it would have needed. `wait` here is a wait after an attempt that found nothing, as calls have it; `wait_anyhow`
// one that nobody attempted before.
#include "engines/readiness.hpp"

#include "engines/readiness_fixture.hpp"

#include <gtest/gtest.h>

#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <vector>

namespace {

using namespace laio::test;
using laio::operation;
using laio::until;

class told : public readiness_fixture {
protected:
    void SetUp() override {
        ASSERT_EQ(timers_.open(), 0);
        ASSERT_EQ(readiness_.open(timers_.descriptor(), true), 0);
    }
    int start(operation &op, bool found_nothing) {
        op.found_nothing = found_nothing;
        return readiness_.start(op);
    }
    operation &wait(const descriptor &one, until what) {
        operation &op = operations_.wait(one.get(), what);
        EXPECT_GE(start(op, true), 0);
        return op;
    }
    operation &wait_anyhow(const descriptor &one, until what) {
        operation &op = operations_.wait(one.get(), what);
        EXPECT_GE(start(op, false), 0);
        return op;
    }
};

TEST_F(told, a_registration_outlives_its_wait) {
    const ends pipe = make_pipe();
    operation &op = operations_.wait(pipe.reader.get(), until::readable);
    EXPECT_EQ(start(op, true), 1);
    for (int i = 0; i < 10; ++i) {
        put(pipe.writer, "x");
        ASSERT_EQ(look(), (given{&op}));
        ASSERT_EQ(drain(pipe.reader), "x");
        ASSERT_EQ(start(op, true), 0);
        ASSERT_EQ(look(), given{});
    }
}

// What came when nobody waited was there for the attempt; its event is nobody's.
TEST_F(told, an_edge_that_nobody_waited_for_ends_no_later_wait) {
    const ends pipe = make_pipe();
    readiness_.cancel(wait(pipe.reader, until::readable));
    put(pipe.writer, "x");
    EXPECT_EQ(look(), given{});
    drain(pipe.reader);
    operation &op = wait(pipe.reader, until::readable);
    EXPECT_EQ(look(), given{});
    put(pipe.writer, "x");
    EXPECT_EQ(look(), (given{&op}));
}

// A send that stopped half-way for another reason than room, a call that the ring gave back: the edge may have been before.
TEST_F(told, a_wait_without_an_attempt_looks_at_the_file) {
    const ends pair = make_sockets();
    put(pair.writer, "x");
    for (int i = 0; i < 3; ++i) {
        operation &reader = wait_anyhow(pair.reader, until::readable);
        ASSERT_EQ(look(), (given{&reader})) << i;
        operation &writer = wait_anyhow(pair.reader, until::writable);
        ASSERT_EQ(look(), (given{&writer})) << i;
    }
}

// It is ready for epoll and not for the call, or somebody else took what was there: as often as it is asked it says so.
TEST_F(told, a_wait_that_was_over_for_nothing_looks_at_the_file) {
    const ends pipe = make_pipe();
    put(pipe.writer, "x");
    operation &op = wait(pipe.reader, until::readable);
    for (int i = 1; i < 5; ++i) {
        ASSERT_EQ(look(), (given{&op})) << i;
        ++op.fruitless;
        ASSERT_EQ(start(op, true), 0);
    }
}

// Writing a datagram may wait for room in another socket, of which this one has no edge: each wait asks.
TEST_F(told, a_datagram_socket_is_not_trusted_to_have_edges) {
    const ends pair = make_sockets(SOCK_DGRAM);
    for (int i = 0; i < 3; ++i) {
        operation &op = wait(pair.reader, until::writable);
        ASSERT_EQ(look(), (given{&op})) << i;
    }
}

TEST_F(told, a_file_of_another_kind_is_not_trusted_to_have_edges) {
    const descriptor counter(eventfd(1, EFD_CLOEXEC));
    for (int i = 0; i < 3; ++i) {
        operation &op = wait(counter, until::readable);
        ASSERT_EQ(look(), (given{&op})) << i;
    }
}

// A carrier could not make it: it waits on, for a file that its own number holds.
TEST_F(told, one_that_is_not_told_takes_the_registration_over) {
    const ends pair = make_sockets();
    operation &reader = wait(pair.reader, until::readable);
    fill_up(pair.reader);
    operation &writer = operations_.wait(pair.reader.get(), until::writable);
    writer.own_descriptor = pair.reader.get();
    EXPECT_GE(start(writer, true), 0);
    drain(pair.writer);
    EXPECT_EQ(look(), (given{&writer}));
    writer.own_descriptor = -1;
    put(pair.writer, "x");
    EXPECT_EQ(look(), (given{&reader}));
    for (int i = 0; i < 3; ++i) {
        drain(pair.reader);
        ASSERT_GE(start(reader, true), 0);
        ASSERT_EQ(look(), given{});
        put(pair.writer, "x");
        ASSERT_EQ(look(), (given{&reader})) << i;
    }
}

TEST_F(told, a_look_that_found_as_much_as_it_could_take_says_so) {
    std::vector<ends> pipes;
    for (int i = 0; i < 65; ++i) {
        pipes.push_back(make_pipe());
        readiness_.cancel(wait(pipes.back().reader, until::readable));
        put(pipes.back().writer, "x");
    }
    EXPECT_FALSE(readiness_.take_fullness());
    EXPECT_EQ(look(), given{});
    EXPECT_TRUE(readiness_.take_fullness());
    EXPECT_FALSE(readiness_.take_fullness());
    EXPECT_EQ(look(), given{});
    EXPECT_FALSE(readiness_.take_fullness());
}

TEST_F(told, both_directions_of_one_descriptor) {
    const ends pair = make_sockets();
    operation &reader = wait(pair.reader, until::readable);
    fill_up(pair.reader);
    operation &writer = wait(pair.reader, until::writable);
    EXPECT_EQ(look(), given{});
    put(pair.writer, "x");
    EXPECT_EQ(look(), (given{&reader}));
    drain(pair.writer);
    EXPECT_EQ(look(), (given{&writer}));
    drain(pair.reader);
    EXPECT_EQ(start(reader, true), 0);
    put(pair.writer, "x");
    EXPECT_EQ(look(), (given{&reader}));
}

TEST_F(told, one_file_under_two_numbers) {
    const ends pipe = make_pipe();
    const descriptor again(fcntl(pipe.reader.get(), F_DUPFD_CLOEXEC, 0));
    operation &first = wait(pipe.reader, until::readable);
    operation &second = wait(again, until::readable);
    put(pipe.writer, "x");
    EXPECT_EQ(look().size(), 2U);
    drain(pipe.reader);
    ++second.fruitless; // the first one had it
    EXPECT_EQ(start(second, true), 0);
    EXPECT_EQ(look(), given{});
    put(pipe.writer, "y");
    EXPECT_EQ(look(), (given{&second}));
    EXPECT_EQ(operations_.times_given(first), 1);
}

TEST_F(told, hang_ups_end_waits) {
    ends pipe = make_pipe();
    operation &reader = wait(pipe.reader, until::readable);
    pipe.writer.reset();
    EXPECT_EQ(look(), (given{&reader}));
    ends other = make_pipe();
    fill_up(other.writer);
    operation &writer = wait(other.writer, until::writable);
    other.reader.reset();
    EXPECT_EQ(look(), (given{&writer}));
}

// Its number may be used again at once, whether the file lives on or not.
TEST_F(told, a_number_that_is_forgotten_may_mean_another_file) {
    for (const bool lives_on : {false, true}) {
        const ends old = make_pipe();
        const ends other = make_pipe();
        operation &op = wait(old.reader, until::readable);
        put(old.writer, "x");
        EXPECT_EQ(look(), (given{&op}));
        const descriptor kept(lives_on ? fcntl(old.reader.get(), F_DUPFD_CLOEXEC, 0) : -1);
        readiness_.forget(old.reader.get());
        ASSERT_EQ(dup3(other.reader.get(), old.reader.get(), O_CLOEXEC), old.reader.get());
        if (lives_on) put(old.writer, "x");
        EXPECT_FALSE(is_readable(readiness_.descriptor())) << "a file that is not waited for any more wakes us";
        EXPECT_EQ(start(op, true), 1);
        EXPECT_EQ(look(), given{});
        put(other.writer, "x");
        EXPECT_EQ(look(), (given{&op}));
        readiness_.forget(old.reader.get());
    }
}

TEST_F(told, a_range_is_forgotten) {
    std::vector<ends> pipes;
    for (int i = 0; i < 50; ++i) {
        pipes.push_back(make_pipe());
        readiness_.cancel(wait(pipes.back().reader, until::readable));
    }
    readiness_.forget(0U, ~0U);
    for (const ends &pipe : pipes) put(pipe.writer, "x");
    EXPECT_FALSE(is_readable(readiness_.descriptor()));
    for (const ends &pipe : pipes) EXPECT_EQ(start(operations_.wait(pipe.reader.get(), until::readable), true), 1);
    EXPECT_EQ(look().size(), pipes.size());
}

// dup2(2) on a number that is waited for: whether it takes the number away is seen after an event only.
TEST_F(told, who_waits_on_a_number_that_is_forgotten_is_found_stale_or_goes_on) {
    for (const bool is_replaced : {false, true}) {
        const ends old = make_pipe();
        const ends other = make_pipe();
        operation &op = wait(old.reader, until::readable);
        const descriptor kept(fcntl(old.reader.get(), F_DUPFD_CLOEXEC, 0));
        readiness_.forget(old.reader.get());
        if (is_replaced) { ASSERT_EQ(dup3(other.reader.get(), old.reader.get(), O_CLOEXEC), old.reader.get()); }
        put(old.writer, "x");
        EXPECT_EQ(look(), is_replaced ? given{} : given{&op});
        EXPECT_EQ(operations_.take(readiness_.stale()), is_replaced ? given{&op} : given{});
        EXPECT_EQ(start(op, true), 1) << "told again";
        readiness_.cancel(op);
        readiness_.forget(old.reader.get());
    }
}

// The sets of poll(2), timers and processes: they are closed without a word, and their numbers are used again.
TEST_F(told, a_descriptor_of_the_operation_s_own_needs_no_forgetting) {
    for (int i = 0; i < 3; ++i) {
        const ends pipe = make_pipe();
        operation &op = operations_.wait(pipe.reader.get(), until::readable);
        op.own_descriptor = pipe.reader.get();
        EXPECT_EQ(start(op, true), 1) << i;
        put(pipe.writer, "x");
        EXPECT_EQ(look(), (given{&op})) << i;
        op.own_descriptor = -1;
    }
}

TEST_F(told, a_wait_after_a_cancelled_one_notices_a_broken_promise) {
    const ends old = make_pipe();
    const ends other = make_pipe();
    readiness_.cancel(wait(old.reader, until::readable));
    ASSERT_EQ(dup3(other.reader.get(), old.reader.get(), O_CLOEXEC), old.reader.get());
    operation &op = wait(old.reader, until::readable);
    put(other.writer, "x");
    EXPECT_EQ(look(), (given{&op}));
}

// A Unix socket has an edge for whatever its peer takes.
TEST_F(told, who_does_not_wait_for_room_is_told_so_once_only) {
    const ends pair = make_sockets();
    fill_up(pair.reader);
    operation &writer = wait(pair.reader, until::writable);
    drain(pair.writer);
    EXPECT_EQ(look(), (given{&writer}));
    int told_of_nothing = 0;
    for (int i = 0; i < 10; ++i) {
        put(pair.reader, "x");
        drain(pair.writer);
        EXPECT_EQ(readiness_.sleep(&laio::no_time), 0);
        if (readiness_.has_found()) ++told_of_nothing;
        EXPECT_EQ(collect(), given{});
    }
    EXPECT_LE(told_of_nothing, 1);
    fill_up(pair.reader);
    EXPECT_EQ(start(writer, true), 1) << "registered again";
    drain(pair.writer);
    EXPECT_EQ(look(), (given{&writer}));
}

} // namespace
