// Waiting for descriptors: who is given back, in which order, how often; hang-ups; what is cancelled; sleeping and waking.
// What becomes of a wait when its number changes its meaning is in readiness_identity_test.cpp.
#include "engines/readiness.hpp"

#include "engines/readiness_fixture.hpp"
#include "kernel/child.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <memory>
#include <sys/resource.h>
#include <sys/time.h>

namespace {

using namespace laio::test;
using laio::no_time;
using laio::now_ns;
using laio::operation;
using laio::operation_list;
using laio::readiness;
using laio::timers;
using laio::until;

class waiting : public readiness_fixture {
protected:
    operation &wait_to_write(const descriptor &one) { return wait(one, until::writable); }

    // No more is found than may be found for a hang-up that nobody waits for any more.
    void expect_quiet() {
        EXPECT_EQ(look(), given{});
        EXPECT_FALSE(is_readable(readiness_.descriptor())) << "an event that is told for ever";
    }
};

// ---- One descriptor ------------------------------------------------------------------------------------------------

TEST_F(waiting, ends_when_the_descriptor_is_ready) {
    const ends pipe = make_pipe();
    operation &op = wait_to_read(pipe.reader);
    EXPECT_TRUE(op.held);
    EXPECT_EQ(look(), given{});
    EXPECT_FALSE(readiness_.has_found());
    put(pipe.writer, "x");
    EXPECT_TRUE(is_readable(readiness_.descriptor())) << "a foreign loop would not hear of it";
    EXPECT_EQ(readiness_.sleep(&no_time), 0);
    EXPECT_TRUE(readiness_.has_found());
    EXPECT_EQ(collect(), (given{&op}));
    EXPECT_FALSE(readiness_.has_found());
    EXPECT_FALSE(op.held);
    EXPECT_EQ(collect(), given{}) << "given twice";
    expect_quiet();
}

TEST_F(waiting, tells_a_new_registration_from_an_old_one) {
    const ends pipe = make_pipe();
    operation &first = operations_.wait(pipe.reader.get(), until::readable);
    operation &second = operations_.wait(pipe.reader.get(), until::readable);
    EXPECT_EQ(readiness_.start(first), 1);
    EXPECT_EQ(readiness_.start(second), 0);
    put(pipe.writer, "x");
    EXPECT_EQ(look(), (given{&first, &second}));
    EXPECT_EQ(readiness_.start(first), 0) << "the same file as before";
    EXPECT_TRUE(readiness_.cancel(first));
    EXPECT_EQ(readiness_.start(first), 0);
    EXPECT_EQ(look(), (given{&first}));
}

TEST_F(waiting, ends_at_once_if_it_is_ready_already) {
    const ends pipe = make_pipe();
    put(pipe.writer, "x");
    operation &op = wait_to_read(pipe.reader);
    EXPECT_EQ(look(), (given{&op}));
    EXPECT_EQ(readiness_.start(op), 0);
    EXPECT_EQ(look(), (given{&op})) << "it is ready still";
    expect_quiet();
}

TEST_F(waiting, is_over_once_for_each_start) {
    const ends pipe = make_pipe();
    operation &op = operations_.wait(pipe.reader.get(), until::readable);
    for (int i = 1; i <= 100; ++i) {
        ASSERT_GE(readiness_.start(op), 0);
        ASSERT_EQ(look(), given{});
        put(pipe.writer, "x");
        ASSERT_EQ(look(), (given{&op}));
        ASSERT_EQ(look(), given{}) << "nobody waits";
        ASSERT_EQ(drain(pipe.reader), "x");
        ASSERT_EQ(operations_.times_given(op), i);
    }
}

TEST_F(waiting, of_several_in_both_directions_keeps_them_apart) {
    const ends pair = make_sockets();
    fill_up(pair.reader);
    operation &reader_1 = wait_to_read(pair.reader);
    operation &writer_1 = wait_to_write(pair.reader);
    operation &reader_2 = wait_to_read(pair.reader);
    operation &writer_2 = wait_to_write(pair.reader);
    operation &reader_3 = wait_to_read(pair.reader);
    EXPECT_EQ(look(), given{});
    put(pair.writer, "x");
    EXPECT_EQ(look(), (given{&reader_1, &reader_2, &reader_3}));
    expect_quiet();
    drain(pair.writer);
    EXPECT_EQ(look(), (given{&writer_1, &writer_2})) << "who waits to write was forgotten";
    expect_quiet();
}

TEST_F(waiting, goes_on_for_the_readers_when_the_writers_are_done) {
    const ends pair = make_sockets();
    operation &reader = wait_to_read(pair.reader);
    operation &writer = wait_to_write(pair.reader);
    EXPECT_EQ(look(), (given{&writer}));
    expect_quiet();
    put(pair.writer, "x");
    EXPECT_EQ(look(), (given{&reader}));
}

TEST_F(waiting, of_both_ends_at_once) {
    const ends pair = make_sockets();
    put(pair.writer, "x");
    operation &writer = wait_to_write(pair.reader);
    operation &reader = wait_to_read(pair.reader);
    EXPECT_EQ(look(), (given{&writer, &reader})) << "in the order in which they came";
    expect_quiet();
}

// ---- What cannot be waited for -------------------------------------------------------------------------------------

TEST_F(waiting, is_not_for_files) {
    const descriptor file = make_file("content");
    operation &op = operations_.wait(file.get(), until::readable);
    EXPECT_EQ(readiness_.start(op), -EPERM);
    EXPECT_TRUE(readiness_.cancel(op)) << "it is still the caller's";
    // the number may mean something else later
    const ends pipe = make_pipe();
    ASSERT_EQ(dup3(pipe.reader.get(), file.get(), O_CLOEXEC), file.get());
    EXPECT_EQ(readiness_.start(op), 1);
    put(pipe.writer, "x");
    EXPECT_EQ(look(), (given{&op}));
}

TEST_F(waiting, is_not_for_what_is_not_open) {
    operation &closed = operations_.wait(make_pipe().reader.get(), until::readable);
    EXPECT_EQ(readiness_.start(closed), -EBADF);
    operation &negative = operations_.wait(-1, until::readable);
    EXPECT_EQ(readiness_.start(negative), -EBADF);
    operation &far_off = operations_.wait(INT32_MAX, until::writable);
    EXPECT_EQ(readiness_.start(far_off), -EBADF);
    expect_quiet();
}

TEST_F(waiting, is_not_for_itself) {
    operation &op = operations_.wait(readiness_.descriptor(), until::readable);
    EXPECT_EQ(readiness_.start(op), -EINVAL);
    expect_quiet();
}

// ---- Hang-ups and errors -------------------------------------------------------------------------------------------

TEST_F(waiting, ends_when_the_writer_has_gone) {
    ends pipe = make_pipe();
    operation &op = wait_to_read(pipe.reader);
    pipe.writer.reset();
    EXPECT_EQ(look(), (given{&op}));
    look();
    expect_quiet();
}

TEST_F(waiting, ends_when_the_reader_has_gone) {
    ends pipe = make_pipe();
    fill_up(pipe.writer);
    operation &op = wait_to_write(pipe.writer);
    EXPECT_EQ(look(), given{});
    pipe.reader.reset();
    EXPECT_EQ(look(), (given{&op}));
    look();
    expect_quiet();
}

// The event says neither "readable" nor "writable".
TEST_F(waiting, in_the_wrong_direction_ends_at_an_error_too) {
    ends pipe = make_pipe();
    operation &reads = wait_to_read(pipe.writer);
    EXPECT_EQ(look(), given{});
    pipe.reader.reset();
    EXPECT_EQ(look(), (given{&reads}));
    ends other = make_pipe();
    operation &writes = wait_to_write(other.reader);
    EXPECT_EQ(look(), given{});
    other.writer.reset();
    EXPECT_EQ(look(), (given{&writes}));
    look();
    expect_quiet();
}

TEST_F(waiting, ends_for_all_when_the_peer_has_gone) {
    ends pair = make_sockets();
    fill_up(pair.reader);
    operation &reader = wait_to_read(pair.reader);
    operation &writer = wait_to_write(pair.reader);
    operation &reader_2 = wait_to_read(pair.reader);
    EXPECT_EQ(look(), given{});
    pair.writer.reset();
    EXPECT_EQ(look(), (given{&reader, &writer, &reader_2}));
    look();
    expect_quiet();
    EXPECT_EQ(readiness_.start(reader), 0);
    EXPECT_EQ(look(), (given{&reader})) << "it has gone still";
}

// ---- Cancelling ----------------------------------------------------------------------------------------------------

TEST_F(waiting, that_is_cancelled_is_not_given_back) {
    const ends pipe = make_pipe();
    operation &first = wait_to_read(pipe.reader);
    operation &second = wait_to_read(pipe.reader);
    operation &third = wait_to_read(pipe.reader);
    EXPECT_TRUE(readiness_.cancel(second));
    EXPECT_FALSE(second.held);
    EXPECT_TRUE(readiness_.cancel(second)) << "once more does nothing";
    put(pipe.writer, "x");
    EXPECT_EQ(look(), (given{&first, &third}));
    EXPECT_TRUE(readiness_.cancel(first)) << "nor does it when it was given back";
    expect_quiet();
}

TEST_F(waiting, that_is_cancelled_leaves_nobody) {
    const ends pipe = make_pipe();
    EXPECT_TRUE(readiness_.cancel(wait_to_read(pipe.reader)));
    put(pipe.writer, "x");
    EXPECT_EQ(look(), given{});
    expect_quiet();
    operation &next = operations_.wait(pipe.reader.get(), until::readable);
    EXPECT_EQ(readiness_.start(next), 0);
    EXPECT_EQ(look(), (given{&next}));
}

TEST_F(waiting, that_is_cancelled_when_its_event_was_found) {
    const ends pipe = make_pipe();
    operation &cancelled = wait_to_read(pipe.reader);
    put(pipe.writer, "x");
    EXPECT_EQ(readiness_.sleep(&no_time), 0);
    EXPECT_TRUE(readiness_.cancel(cancelled));
    EXPECT_EQ(collect(), given{});
}

// The event was for the one before; the next one's wait is not over by it, and not lost either.
TEST_F(waiting, that_began_when_an_event_was_found) {
    const ends pipe = make_pipe();
    operation &cancelled = wait_to_read(pipe.reader);
    put(pipe.writer, "x");
    EXPECT_EQ(readiness_.sleep(&no_time), 0);
    EXPECT_TRUE(readiness_.cancel(cancelled));
    drain(pipe.reader);
    operation &next = wait_to_read(pipe.reader);
    EXPECT_EQ(collect(), given{}) << "by an event of a wait that was over";
    EXPECT_EQ(look(), given{});
    put(pipe.writer, "y");
    EXPECT_EQ(look(), (given{&next}));
    EXPECT_EQ(operations_.times_given(cancelled), 0);
}

// ---- Many ----------------------------------------------------------------------------------------------------------

TEST_F(waiting, of_more_than_one_look_finds) {
    std::vector<ends> pipes;
    std::vector<operation *> all;
    for (int i = 0; i < 200; ++i) {
        pipes.push_back(make_pipe());
        all.push_back(&wait_to_read(pipes.back().reader));
    }
    EXPECT_EQ(look(), given{});
    for (const ends &pipe : pipes) put(pipe.writer, "x");
    std::size_t count = 0;
    for (int looks = 0; looks < 20; ++looks) count += look().size();
    EXPECT_EQ(count, all.size());
    for (const operation *op : all) EXPECT_EQ(operations_.times_given(*op), 1);
    expect_quiet();
}

TEST_F(waiting, of_thousands_on_one_descriptor) {
    const ends pipe = make_pipe();
    std::vector<operation *> all;
    all.reserve(3000);
    for (int i = 0; i < 3000; ++i) all.push_back(&wait_to_read(pipe.reader));
    for (std::size_t i = 0; i < all.size(); i += 3) EXPECT_TRUE(readiness_.cancel(*all[i]));
    put(pipe.writer, "x");
    EXPECT_EQ(look().size(), 2000U);
    for (std::size_t i = 0; i < all.size(); ++i) ASSERT_EQ(operations_.times_given(*all[i]), i % 3 == 0 ? 0 : 1) << i;
}

// ---- Sleeping ------------------------------------------------------------------------------------------------------

TEST_F(waiting, sleeps_until_there_is_an_event) {
    const ends pipe = make_pipe();
    operation &op = wait_to_read(pipe.reader);
    put(pipe.writer, "x");
    EXPECT_EQ(readiness_.sleep(nullptr), 0);
    EXPECT_EQ(collect(), (given{&op}));
    EXPECT_EQ(readiness_.start(op), 0);
    const timespec ages{INT64_MAX, 999'999'999};
    EXPECT_EQ(readiness_.sleep(&ages), 0);
    EXPECT_EQ(collect(), (given{&op}));
}

TEST_F(waiting, sleeps_no_shorter_than_it_was_told) {
    const timespec limit{0, 1'500'000};
    const std::int64_t began_ns = now_ns();
    EXPECT_EQ(readiness_.sleep(&limit), 0);
    EXPECT_GE(now_ns() - began_ns, limit.tv_nsec);
    EXPECT_FALSE(readiness_.has_found());
    EXPECT_EQ(collect(), given{});
}

TEST_F(waiting, is_woken_by_the_alarm_each_time_it_rings) {
    const std::uint64_t one = 1;
    for (int i = 0; i < 3; ++i) {
        ASSERT_EQ(write(readiness_.alarm(), &one, sizeof one), static_cast<ssize_t>(sizeof one));
        EXPECT_TRUE(is_readable(readiness_.descriptor()));
        EXPECT_EQ(readiness_.sleep(nullptr), 0);
        EXPECT_TRUE(readiness_.has_found());
        EXPECT_EQ(collect(), given{});
        EXPECT_EQ(readiness_.sleep(&no_time), 0);
        EXPECT_FALSE(readiness_.has_found()) << "rung once, woken twice";
    }
}

TEST_F(waiting, is_woken_by_a_deadline) {
    for (int i = 0; i < 3; ++i) {
        operation &op = operations_.make(SYS_nanosleep);
        op.deadline_ns = now_ns() + second_ns / 1000;
        ASSERT_EQ(timers_.start(op), 0);
        EXPECT_EQ(readiness_.sleep(nullptr), 0);
        EXPECT_EQ(collect(), given{});
        EXPECT_EQ(timers_.take_expired(), &op);
    }
}

void nothing(int) {}

TEST_F(waiting, is_interrupted_by_a_signal) {
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = nothing;
    ASSERT_EQ(sigaction(SIGALRM, &action, &before), 0);
    itimerval often{{0, 2000}, {0, 2000}}; // again and again: one may come before the sleep
    ASSERT_EQ(setitimer(ITIMER_REAL, &often, nullptr), 0);
    const timespec limit{hang_s, 0};
    EXPECT_EQ(readiness_.sleep(nullptr), -EINTR);
    EXPECT_FALSE(readiness_.has_found());
    EXPECT_EQ(readiness_.sleep(&limit), -EINTR);
    often = {};
    setitimer(ITIMER_REAL, &often, nullptr);
    sigaction(SIGALRM, &before, nullptr);
}

// Kernels before 5.11 have no epoll_pwait2(2), and filters may refuse it.
long sleep_without_pwait2(int error) {
    timers clock;
    readiness one;
    operations made;
    if (clock.open() != 0 || one.open(clock.descriptor()) != 0) return 1;
    if (!refuse_calls({SYS_epoll_pwait2}, error)) return cannot;
    for (const timespec limit : {timespec{0, 999'999}, timespec{0, 1}, timespec{0, 1'000'001}, timespec{0, 999'999}}) {
        const std::int64_t began_ns = now_ns();
        if (one.sleep(&limit) != 0 || one.has_found()) return 2;
        if (now_ns() - began_ns < limit.tv_nsec) return 3;
    }
    const ends pipe = make_pipe();
    operation &op = made.wait(pipe.reader.get(), until::readable);
    put(pipe.writer, "x");
    const timespec ages{INT64_MAX, 999'999'999};
    const timespec weeks{INT32_MAX / 1000, 999'999'999};
    const timespec moment{0, 1};
    for (const timespec *limit : {&ages, &weeks, &moment, &no_time, static_cast<const timespec *>(nullptr)}) {
        operation_list ready;
        if (one.start(op) < 0) return 4;
        if (one.sleep(limit) != 0) return 5;
        one.collect(ready);
        if (ready.pop() != &op) return 6;
    }
    return 0;
}

TEST(sleeping_without_epoll_pwait2, is_as_long_as_with_it) {
    for (const int error : {ENOSYS, EPERM}) {
        const auto end = in_child([=] { return sleep_without_pwait2(error); });
        if (end.value == cannot) GTEST_SKIP() << "no filter of calls to be had";
        EXPECT_EQ(end.value, 0) << end;
    }
}

// ---- Beginning and end ---------------------------------------------------------------------------------------------

TEST(readiness_end, closes_its_descriptors) {
    timers clock;
    ASSERT_EQ(clock.open(), 0);
    const std::size_t before = count_descriptors();
    auto one = std::make_unique<readiness>();
    ASSERT_EQ(one->open(clock.descriptor()), 0);
    EXPECT_EQ(count_descriptors(), before + 2);
    EXPECT_NE(fcntl(one->descriptor(), F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_NE(fcntl(one->alarm(), F_GETFD) & FD_CLOEXEC, 0);
    one.reset();
    EXPECT_EQ(count_descriptors(), before);
}

// As in the child of a fork: nobody cancels what waits. A leak is for the address sanitizer to tell.
TEST(readiness_end, may_come_while_somebody_waits) {
    operations made;
    timers clock;
    ASSERT_EQ(clock.open(), 0);
    std::vector<ends> pipes;
    auto one = std::make_unique<readiness>();
    ASSERT_EQ(one->open(clock.descriptor()), 0);
    for (int i = 0; i < 100; ++i) {
        pipes.push_back(make_pipe());
        ASSERT_EQ(one->start(made.wait(pipes.back().reader.get(), until::readable)), 1);
    }
    one.reset();
    for (const ends &each : pipes) put(each.writer, "x"); // nobody hears of it
}

TEST(readiness_without_descriptors, says_so) {
    for (const rlim_t room : {rlim_t{0}, rlim_t{1}}) {
        const auto end = in_child([=] {
            timers clock;
            if (clock.open() != 0) return 1L;
            const descriptor next(dup(clock.descriptor()));
            const auto limit = static_cast<rlim_t>(next.get()) + room;
            const rlimit only{limit, limit};
            close(next.get());
            if (setrlimit(RLIMIT_NOFILE, &only) != 0) return cannot;
            const std::size_t before = count_descriptors();
            long r = 0;
            {
                readiness one;
                r = one.open(clock.descriptor());
            }
            return count_descriptors() == before ? r : 2L;
        });
        EXPECT_EQ(end.value, -EMFILE) << end;
    }
}

TEST(readiness_without_a_timer, says_so) {
    readiness one;
    EXPECT_EQ(one.open(-1), -EBADF);
}

} // namespace
