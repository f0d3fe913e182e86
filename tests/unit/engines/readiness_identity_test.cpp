// Waits whose descriptor number changes its meaning behind the library's back: closed, reused, living on by a duplicate.
// Whoever waited is given back as stale, once, and never as ready: its next attempt would be on another file.
// Also the sets that poll(2) and select(2) wait with.
#include "engines/readiness.hpp"

#include "engines/readiness_fixture.hpp"
#include "kernel/child.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sys/resource.h>
#include <sys/select.h>

namespace {

using namespace laio::test;
using laio::operation;
using laio::readiness;
using laio::until;
using laio::word;

class identity : public readiness_fixture {
protected:
    given stale() { return operations_.take(readiness_.stale()); }
    // What `number` means from now on; what it meant before lives on in the descriptor that is returned.
    static descriptor replace(const descriptor &number, const descriptor &by) {
        descriptor old(fcntl(number.get(), F_DUPFD_CLOEXEC, 0));
        EXPECT_EQ(dup3(by.get(), number.get(), O_CLOEXEC), number.get());
        return old;
    }
};

TEST_F(identity, of_a_number_that_was_closed_is_found_lacking) {
    ends pipe = make_pipe();
    operation &op = wait_to_read(pipe.reader);
    const descriptor lives_on(fcntl(pipe.reader.get(), F_DUPFD_CLOEXEC, 0));
    pipe.reader.reset();
    put(pipe.writer, "x");
    EXPECT_EQ(look(), given{});
    EXPECT_EQ(stale(), (given{&op}));
    EXPECT_FALSE(op.held);
    EXPECT_EQ(look(), given{});
    EXPECT_EQ(stale(), given{});
}

TEST_F(identity, of_a_number_that_means_another_file_is_found_lacking) {
    const ends old = make_pipe();
    const ends other = make_pipe();
    operation &first = wait_to_read(old.reader);
    operation &second = wait_to_read(old.reader);
    const descriptor lives_on = replace(old.reader, other.reader);
    put(old.writer, "x");
    EXPECT_EQ(look(), given{}) << "the other file's data would be read";
    EXPECT_EQ(stale(), (given{&first, &second}));
    EXPECT_EQ(look(), given{});
    EXPECT_EQ(stale(), given{});
}

TEST_F(identity, of_both_directions_goes_at_once) {
    const ends old = make_sockets();
    const ends other = make_sockets();
    fill_up(old.reader);
    operation &reader = wait_to_read(old.reader);
    operation &writer = operations_.wait(old.reader.get(), until::writable);
    EXPECT_EQ(readiness_.start(writer), 0);
    const descriptor lives_on = replace(old.reader, other.reader);
    put(old.writer, "x"); // ready for one of them only
    EXPECT_EQ(look(), given{});
    EXPECT_EQ(stale(), (given{&reader, &writer}));
}

// Without a duplicate the kernel forgets the registration: nobody can hear of the old file any more.
TEST_F(identity, of_a_forgotten_file_is_noticed_by_the_next_wait) {
    ends old = make_pipe();
    const ends other = make_pipe();
    operation &gone = wait_to_read(old.reader);
    EXPECT_EQ(dup3(other.reader.get(), old.reader.get(), O_CLOEXEC), old.reader.get());
    put(other.writer, "x");
    EXPECT_EQ(look(), given{}) << "who waited for the old file has nothing to do with this one";
    operation &next = operations_.wait(old.reader.get(), until::readable);
    EXPECT_EQ(readiness_.start(next), 1) << "what was known of the number is void";
    EXPECT_EQ(stale(), (given{&gone}));
    EXPECT_EQ(look(), (given{&next}));
}

TEST_F(identity, of_a_closed_number_can_still_be_cancelled) {
    ends pipe = make_pipe();
    operation &op = wait_to_read(pipe.reader);
    pipe.reader.reset();
    EXPECT_EQ(look(), given{});
    EXPECT_TRUE(readiness_.cancel(op));
    EXPECT_EQ(look(), given{});
    EXPECT_EQ(stale(), given{});
}

// The registration of the old file cannot be deleted. Its event may end the new wait too early, but must not lose it.
TEST_F(identity, of_the_new_file_outlives_an_event_of_the_old_one) {
    const ends old = make_pipe();
    const ends other = make_pipe();
    operation &gone = wait_to_read(old.reader);
    const descriptor lives_on = replace(old.reader, other.reader);
    operation &next = wait_to_read(old.reader);
    EXPECT_EQ(stale(), (given{&gone}));
    put(old.writer, "x");
    for (int looks = 0; looks < 3; ++looks)
        for (operation *op : look()) {
            EXPECT_EQ(op, &next);
            EXPECT_EQ(readiness_.start(*op), 0) << "it is not ready after all";
        }
    EXPECT_LE(operations_.times_given(next), 1) << "the old file is told of for ever";
    EXPECT_EQ(operations_.times_given(gone), 1);
    EXPECT_EQ(stale(), given{});
    const int before = operations_.times_given(next);
    put(other.writer, "y");
    EXPECT_EQ(look(), (given{&next}));
    EXPECT_EQ(operations_.times_given(next), before + 1);
}

TEST_F(identity, of_a_file_under_two_numbers_is_kept_apart) {
    const ends pipe = make_pipe();
    const descriptor second(fcntl(pipe.reader.get(), F_DUPFD_CLOEXEC, 0));
    operation &one = wait_to_read(pipe.reader);
    operation &two = wait_to_read(second);
    EXPECT_TRUE(readiness_.cancel(one));
    put(pipe.writer, "x");
    EXPECT_EQ(look(), (given{&two}));
    EXPECT_EQ(stale(), given{});
}

// One number, again and again another file, some of which live on and have events.
TEST_F(identity, holds_however_often_a_number_is_reused) {
    descriptor number(fcntl(make_pipe().reader.get(), F_DUPFD_CLOEXEC, 0));
    std::vector<ends> pipes;
    std::vector<descriptor> live_on;
    std::vector<operation *> gone;
    for (int i = 0; i < 50; ++i) {
        pipes.push_back(make_pipe());
        if (i % 2 == 0) live_on.push_back(replace(number, pipes.back().reader));
        else ASSERT_EQ(dup3(pipes.back().reader.get(), number.get(), O_CLOEXEC), number.get());
        operation &op = operations_.wait(number.get(), until::readable);
        ASSERT_EQ(readiness_.start(op), 1);
        for (operation *old : stale()) ASSERT_EQ(old, gone.back());
        gone.push_back(&op);
        if (i > 0) put(pipes[static_cast<std::size_t>(i) - 1].writer, "x");
        for (operation *early : look()) {
            ASSERT_EQ(early, &op) << "an operation of a file that the number does not mean";
            ASSERT_EQ(readiness_.start(*early), 0);
        }
    }
    put(pipes.back().writer, "x");
    EXPECT_EQ(look(), (given{gone.back()}));
    gone.pop_back();
    for (const operation *op : gone) EXPECT_GE(operations_.times_given(*op), 1);
    EXPECT_EQ(stale(), given{});
}

// ---- Several descriptors as one: poll(2) and select(2) -------------------------------------------------------------

class gathered : public identity {
protected:
    operation &poll_for(std::vector<pollfd> &asked) {
        operation &op = operations_.make(SYS_ppoll, {word(asked.data()), static_cast<long>(asked.size()), 0});
        op.waits_for = until::descriptors;
        EXPECT_EQ(readiness::gather(op), 0);
        EXPECT_GE(op.own_descriptor, 0);
        EXPECT_EQ(op.descriptor, op.own_descriptor);
        return op;
    }
    operation &select_for(int count, const fd_set *read, const fd_set *write, const fd_set *except) {
        operation &op = operations_.make(SYS_pselect6, {count});
        const auto bytes = (static_cast<std::size_t>(count) + 63) / 64 * 8;
        op.copied = std::calloc(3, bytes);
        int place = 0;
        for (const fd_set *set : {read, write, except}) {
            if (set != nullptr) std::memcpy(static_cast<char *>(op.copied) + place, set, bytes);
            place += static_cast<int>(bytes);
        }
        op.waits_for = until::descriptors;
        EXPECT_EQ(readiness::gather(op), 0);
        return op;
    }
    void expect_waits(operation &op) {
        EXPECT_EQ(readiness_.start(op), 1);
        EXPECT_EQ(look(), given{});
    }
};

TEST_F(gathered, descriptors_are_ready_when_one_is) {
    const ends pipe = make_pipe();
    const ends other = make_pipe();
    std::vector<pollfd> asked{{pipe.reader.get(), POLLIN, 0}, {other.reader.get(), POLLIN, 0}};
    operation &op = poll_for(asked);
    expect_waits(op);
    put(other.writer, "x");
    EXPECT_EQ(look(), (given{&op}));
    EXPECT_EQ(readiness_.start(op), 0);
    drain(other.reader);
    put(pipe.writer, "x");
    EXPECT_EQ(look(), (given{&op}));
}

TEST_F(gathered, descriptors_are_asked_for_what_was_asked) {
    const ends pair = make_sockets();
    const ends full = make_pipe();
    fill_up(full.writer);
    std::vector<pollfd> asked{{pair.reader.get(), POLLIN, 0}, {full.writer.get(), POLLOUT, 0}};
    operation &op = poll_for(asked);
    expect_waits(op); // one is writable, but was not asked for that
    drain(full.reader);
    EXPECT_EQ(look(), (given{&op}));
}

TEST_F(gathered, descriptors_may_be_none) {
    const descriptor file = make_file("");
    constexpr int closed = 1'000'000'000;
    const ends pipe = make_pipe();
    // the last is the only one that can be waited for: the others are ignored, always ready, or not open
    std::vector<pollfd> asked{{-1, POLLIN, 0},
                              {-5, POLLOUT, 0},
                              {file.get(), POLLIN, 0},
                              {closed, POLLIN, 0},
                              {pipe.reader.get(), POLLIN, 0}};
    operation &op = poll_for(asked);
    expect_waits(op);
    put(pipe.writer, "x");
    EXPECT_EQ(look(), (given{&op}));
    std::vector<pollfd> nobody;
    expect_waits(poll_for(nobody));
}

TEST_F(gathered, descriptors_may_be_there_twice) {
    const ends pair = make_sockets();
    fill_up(pair.reader);
    for (const bool reads_first : {true, false}) {
        const auto first = static_cast<short>(reads_first ? POLLIN : POLLOUT);
        const auto second = static_cast<short>(reads_first ? POLLOUT : POLLIN);
        std::vector<pollfd> asked{
            {pair.reader.get(), first, 0}, {-1, 0, 0}, {pair.reader.get(), second, 0}, {pair.reader.get(), 0, 0}};
        operation &op = poll_for(asked);
        expect_waits(op);
        put(pair.writer, "x");
        EXPECT_EQ(look(), (given{&op}));
        drain(pair.reader);
        EXPECT_EQ(readiness_.start(op), 0);
        EXPECT_EQ(look(), given{});
        drain(pair.writer);
        EXPECT_EQ(look(), (given{&op}));
        fill_up(pair.reader);
    }
}

TEST_F(gathered, descriptors_are_ready_when_one_hangs_up) {
    ends pipe = make_pipe();
    std::vector<pollfd> asked{{pipe.reader.get(), 0, 0}};
    operation &op = poll_for(asked);
    expect_waits(op);
    pipe.writer.reset();
    EXPECT_EQ(look(), (given{&op}));
}

TEST_F(gathered, sets_are_those_of_select) {
    for (int set = 0; set < 3; ++set) {
        SCOPED_TRACE(set);
        const ends pair = make_sockets();
        const ends quiet = make_pipe();
        fill_up(pair.reader);
        fd_set asked[3];
        for (fd_set &each : asked) FD_ZERO(&each);
        FD_SET(pair.reader.get(), &asked[set]);
        FD_SET(quiet.reader.get(), &asked[0]);
        const int count = std::max(pair.reader.get(), quiet.reader.get()) + 1;
        operation &op = select_for(count, &asked[0], &asked[1], &asked[2]);
        expect_waits(op);
        put(pair.writer, "x");
        EXPECT_EQ(look(), set == 0 ? (given{&op}) : given{});
        if (set == 0) continue;
        drain(pair.writer);
        EXPECT_EQ(look(), set == 1 ? (given{&op}) : given{});
    }
}

TEST_F(gathered, sets_end_where_select_was_told) {
    const ends pipe = make_pipe();
    put(pipe.writer, "x");
    fd_set asked;
    FD_ZERO(&asked);
    FD_SET(pipe.reader.get(), &asked);
    operation &one_less = select_for(pipe.reader.get(), &asked, nullptr, nullptr);
    expect_waits(one_less);
    operation &with_it = select_for(pipe.reader.get() + 1, &asked, nullptr, nullptr);
    EXPECT_EQ(readiness_.start(with_it), 1);
    EXPECT_EQ(look(), (given{&with_it}));
}

TEST_F(gathered, descriptors_cost_one_that_is_given_back) {
    const ends pipe = make_pipe();
    std::vector<pollfd> asked{{pipe.reader.get(), POLLIN, 0}};
    const std::size_t before = count_descriptors();
    operation &op = poll_for(asked);
    EXPECT_EQ(count_descriptors(), before + 1);
    EXPECT_NE(fcntl(op.own_descriptor, F_GETFD) & FD_CLOEXEC, 0);
    release(op);
    EXPECT_EQ(count_descriptors(), before);
}

TEST_F(gathered, descriptors_may_not_be_to_be_had) {
    const auto end = in_child([this] {
        const rlimit none{0, 0};
        if (setrlimit(RLIMIT_NOFILE, &none) != 0) return cannot;
        pollfd asked{0, POLLIN, 0};
        operation &op = operations_.make(SYS_ppoll, {word(&asked), 1, 0});
        const int r = readiness::gather(op);
        return op.own_descriptor == -1 ? static_cast<long>(r) : 1L;
    });
    EXPECT_EQ(end.value, -EMFILE) << end;
}

} // namespace
