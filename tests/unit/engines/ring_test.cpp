// What the ring makes of calls: each kind of request, what it cannot do, results, cancelling, the alarm and sleeping.
// Its set-up, and what happens when its queues are full, is in ring_limits_test.cpp.
#include "engines/ring.hpp"

#include "calls/transfer.hpp"
#include "engines/ring_fixture.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <netinet/in.h>
#include <sys/time.h>
#include <sys/uio.h>

namespace {

using namespace laio::test;
using laio::no_time;
using laio::operation;
using laio::word;

class requests : public testing::Test {
protected:
    void SetUp() override {
        if (const char *reason = no_ring(); reason != nullptr) GTEST_SKIP() << "no io_uring: " << reason;
        ASSERT_EQ(on.opened, 0);
        ASSERT_TRUE(on->is_open());
        ASSERT_TRUE(on->is_idle());
    }
    // The result of a call that the ring makes.
    long run(operation &op) {
        EXPECT_TRUE(on->can(op));
        EXPECT_EQ(on->start(op), 0);
        const std::size_t before = on.order.size();
        EXPECT_TRUE(on.collect_up_to(before + 1));
        if (on.order.size() != before + 1 || on.order.back() != &op) ADD_FAILURE() << "something else was given back";
        return op.result;
    }
    long run(long number, std::initializer_list<long> arguments) { return run(on.made.make(number, arguments)); }
    operation &make_captured(long number, std::initializer_list<long> arguments) {
        operation &op = on.made.make(number, arguments);
        EXPECT_EQ(capture(op), 0);
        return op;
    }

    ring_by_hand on;
};

// ---- Reads and writes ----------------------------------------------------------------------------------------------

TEST_F(requests, read_and_write_files) {
    const descriptor file = make_file("content");
    char bytes[16]{};
    EXPECT_EQ(run(SYS_pread64, {file.get(), word(bytes), 16, 0}), 7);
    EXPECT_STREQ(bytes, "content");
    EXPECT_EQ(run(SYS_pread64, {file.get(), word(bytes), 2, 3}), 2);
    EXPECT_STREQ(bytes, "tentent");
    EXPECT_EQ(run(SYS_pread64, {file.get(), word(bytes), 2, 100}), 0) << "behind the end";
    EXPECT_EQ(run(SYS_pwrite64, {file.get(), word("NT"), 2, 5}), 2);
    EXPECT_EQ(lseek(file.get(), 0, SEEK_CUR), 0) << "the offset of the file was moved";
    // those without an offset move the file's own
    EXPECT_EQ(run(SYS_read, {file.get(), word(bytes), 3}), 3);
    EXPECT_EQ(lseek(file.get(), 0, SEEK_CUR), 3);
    EXPECT_EQ(run(SYS_write, {file.get(), word("TE"), 2}), 2);
    EXPECT_EQ(lseek(file.get(), 0, SEEK_CUR), 5);
    EXPECT_EQ(pread(file.get(), bytes, 16, 0), 7);
    EXPECT_STREQ(bytes, "conTENT");
    EXPECT_TRUE(on->is_idle());
    EXPECT_EQ(on->submitted(), 6U);
    EXPECT_EQ(on->in_flight(), 0U);
}

TEST_F(requests, go_on_where_the_call_has_come_to) {
    const descriptor file = make_file("content");
    char bytes[16] = "xyz";
    operation &positional = on.made.make(SYS_pread64, {file.get(), word(bytes), 7, 0});
    positional.moved = 3;
    EXPECT_EQ(run(positional), 4);
    EXPECT_STREQ(bytes, "xyztent");
}

TEST_F(requests, read_and_write_vectors_that_were_copied) {
    const descriptor file = make_file("content");
    char first[4]{};
    char second[8]{};
    std::array<iovec, 2> vector{{{first, 3}, {second, 4}}};
    operation &not_copied = on.made.make(SYS_preadv, {file.get(), word(vector.data()), 2, 0, 0});
    EXPECT_FALSE(on->can(not_copied)) << "the application may reuse it";
    operation &op = make_captured(SYS_preadv, {file.get(), word(vector.data()), 2, 0, 0});
    vector = {};
    EXPECT_EQ(run(op), 7);
    EXPECT_STREQ(first, "con");
    EXPECT_STREQ(second, "tent");
    char upper[] = "CONTENT";
    vector = {{{upper, 3}, {upper + 3, 4}}};
    operation &rest = make_captured(SYS_pwritev, {file.get(), word(vector.data()), 2, 0, 0});
    note_moved(rest, 5);
    EXPECT_EQ(run(rest), 2);
    char bytes[8]{};
    EXPECT_EQ(pread(file.get(), bytes, 7, 0), 7);
    EXPECT_STREQ(bytes, "conteNT");
    vector = {{{bytes, 2}, {bytes + 2, 2}}};
    operation &flagged = make_captured(SYS_preadv2, {file.get(), word(vector.data()), 2, 0, 0, 0x4000});
    EXPECT_EQ(run(flagged), -EOPNOTSUPP) << "flags of preadv2(2) were dropped";
}

TEST_F(requests, wait_for_what_is_not_there) {
    const ends pipe = make_pipe();
    operation &op = on.read_byte(pipe);
    on->submit();
    EXPECT_EQ(on.collect(), given{});
    EXPECT_EQ(on->sleep(&no_time), -ETIME);
    EXPECT_EQ(on.collect(), given{});
    EXPECT_FALSE(on->is_idle());
    EXPECT_EQ(on->in_flight(), 1U);
    put(pipe.writer, "x");
    ASSERT_TRUE(on.collect_up_to(1));
    EXPECT_EQ(op.result, 1);
    EXPECT_EQ(on.collect(), given{}) << "given twice";
    EXPECT_TRUE(on->is_idle());
}

TEST_F(requests, are_submitted_by_collecting_too) {
    const ends pipe = make_pipe();
    put(pipe.writer, "x");
    on.read_byte(pipe);
    const std::uint64_t enters = on->enters();
    on.collect();
    EXPECT_GT(on->enters(), enters);
    EXPECT_TRUE(comes_true([&] { return !on.order.empty() || !on.collect().empty(); }));
}

TEST_F(requests, keep_the_file_that_the_number_meant) {
    ends pipe = make_pipe();
    const ends other = make_pipe();
    operation &op = on.read_byte(pipe);
    on->submit();
    ASSERT_EQ(dup3(other.reader.get(), pipe.reader.get(), O_CLOEXEC), pipe.reader.get());
    put(other.writer, "o");
    put(pipe.writer, "p");
    ASSERT_TRUE(on.collect_up_to(1));
    EXPECT_EQ(op.result, 1);
    EXPECT_EQ(drain(other.reader), "o");
}

TEST_F(requests, fail_as_the_call_does) {
    char byte = 0;
    EXPECT_EQ(run(SYS_read, {-1, word(&byte), 1}), -EBADF);
    const ends pipe = make_pipe();
    put(pipe.writer, "x");
    EXPECT_EQ(run(SYS_read, {pipe.reader.get(), 8, 1}), -EFAULT);
    EXPECT_EQ(run(SYS_read, {pipe.writer.get(), word(&byte), 1}), -EBADF);
}

// ---- Messages and connections --------------------------------------------------------------------------------------

TEST_F(requests, receive_and_send) {
    const ends pair = make_sockets();
    char bytes[8]{};
    EXPECT_EQ(run(SYS_sendto, {pair.writer.get(), word("hello"), 5, 0, 0, 0}), 5);
    EXPECT_EQ(run(SYS_recvfrom, {pair.reader.get(), word(bytes), 8, MSG_PEEK, 0, 0}), 5);
    EXPECT_EQ(run(SYS_recvfrom, {pair.reader.get(), word(bytes), 8, 0, 0, 0}), 5);
    EXPECT_STREQ(bytes, "hello");
}

TEST_F(requests, send_all_there_is) {
    const ends pair = make_sockets();
    const std::string bytes(4 << 20, 's');
    operation &op =
        on.start(SYS_sendto, {pair.writer.get(), word(bytes.data()), static_cast<long>(bytes.size()), 0, 0, 0});
    std::size_t received = 0;
    ASSERT_TRUE(comes_true([&] {
        received += drain(pair.reader).size();
        on.collect();
        return !on.order.empty();
    }));
    received += drain(pair.reader).size();
    EXPECT_GT(op.result, 0);
    EXPECT_EQ(op.result, static_cast<long>(received)) << "what it says went out is not what came in";
}

TEST_F(requests, receive_and_send_headers_that_were_copied) {
    const ends pair = make_sockets();
    char out[] = "hello";
    iovec one{out, 5};
    msghdr header{};
    header.msg_iov = &one;
    header.msg_iovlen = 1;
    EXPECT_FALSE(on->can(on.made.make(SYS_sendmsg, {pair.writer.get(), word(&header), 0})));
    operation &sends = make_captured(SYS_sendmsg, {pair.writer.get(), word(&header), 0});
    char in[8]{};
    iovec other{in, 8};
    msghdr second{};
    second.msg_iov = &other;
    second.msg_iovlen = 1;
    operation &receives = make_captured(SYS_recvmsg, {pair.reader.get(), word(&second), 0});
    header = {};
    second = {};
    EXPECT_EQ(run(sends), 5);
    EXPECT_EQ(run(receives), 5);
    EXPECT_STREQ(in, "hello");
}

TEST_F(requests, accept_and_connect) {
    const descriptor listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto *generic = reinterpret_cast<sockaddr *>(&address);
    ASSERT_EQ(bind(listener.get(), generic, length), 0);
    ASSERT_EQ(listen(listener.get(), 4), 0);
    ASSERT_EQ(getsockname(listener.get(), generic, &length), 0);
    const descriptor client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in peer{};
    socklen_t peer_length = sizeof peer;
    operation &accepts =
        on.start(SYS_accept4, {listener.get(), word(&peer), word(&peer_length), SOCK_CLOEXEC | SOCK_NONBLOCK});
    EXPECT_EQ(on.collect(), given{});
    operation &connects = on.start(SYS_connect, {client.get(), word(&address), static_cast<long>(length)});
    ASSERT_TRUE(on.collect_up_to(2));
    EXPECT_EQ(connects.result, 0);
    ASSERT_GE(accepts.result, 0);
    const descriptor accepted(static_cast<int>(accepts.result));
    EXPECT_EQ(peer_length, sizeof peer);
    EXPECT_EQ(peer.sin_family, AF_INET);
    EXPECT_NE(fcntl(accepted.get(), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(fcntl(accepted.get(), F_GETFD) & FD_CLOEXEC, 0);
    const descriptor another(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(connect(another.get(), generic, length), 0);
    // accept(2) has no flags: what its fourth argument happens to be says nothing
    const descriptor plain(static_cast<int>(run(SYS_accept, {listener.get(), 0, 0, SOCK_NONBLOCK})));
    ASSERT_GE(plain.get(), 0);
    EXPECT_EQ(fcntl(plain.get(), F_GETFL) & O_NONBLOCK, 0);
}

// ---- What it cannot do ---------------------------------------------------------------------------------------------

TEST_F(requests, that_it_cannot_make_are_refused) {
    const ends pair = make_sockets();
    const int one = pair.reader.get();
    char bytes[8]{};
    sockaddr_storage from{};
    socklen_t length = sizeof from;
    const given refused{
        &on.made.make(SYS_getpid),
        &on.made.make(SYS_statx, {-1, word("/"), 0, 0, word(bytes)}),
        &on.made.make(SYS_fsync, {one}),
        &on.made.make(SYS_unlinkat, {-1, word("/"), 0}),
        &on.made.make(SYS_splice, {one, 0, one, 0, 1, 0}),
        &on.made.make(SYS_openat, {-1, word("/"), 0, 0}),
        &on.made.make(SYS_close, {one}),
        &on.made.make(SYS_recvmmsg, {one, word(bytes), 1, 0, 0}),
        &on.made.make(SYS_recvfrom, {one, word(bytes), 8, 0, word(&from), word(&length)}), // no place for an address
        &on.made.make(SYS_sendto, {one, word(bytes), 8, 0, word(&from), static_cast<long>(length)}),
        &on.made.make(SYS_readv, {one, word(bytes), 1}), // not copied
        &on.made.make(SYS_sendmsg, {one, word(bytes), 0}),
    };
    for (operation *op : refused) {
        EXPECT_FALSE(on->can(*op)) << op->what->name;
        EXPECT_EQ(on->start(*op), -EOPNOTSUPP) << op->what->name;
    }
    EXPECT_TRUE(on->is_idle());
    EXPECT_EQ(on->submitted(), 0U);
    EXPECT_EQ(on.collect(), given{});
}

// ---- Cancelling ----------------------------------------------------------------------------------------------------

TEST_F(requests, that_run_can_be_cancelled) {
    const ends pipe = make_pipe();
    operation &cancelled = on.read_byte(pipe);
    operation &stays = on.read_byte(pipe);
    on->submit();
    EXPECT_FALSE(on->cancel(cancelled));
    ASSERT_TRUE(on.collect_up_to(1));
    EXPECT_EQ(on.order, (given{&cancelled}));
    EXPECT_EQ(cancelled.result, -ECANCELED);
    EXPECT_EQ(on->in_flight(), 1U) << "the request that cancels is none of them";
    put(pipe.writer, "x");
    ASSERT_TRUE(on.collect_up_to(2));
    EXPECT_EQ(stays.result, 1);
    EXPECT_TRUE(on->is_idle());
    EXPECT_EQ(on->submitted(), 2U);
}

TEST_F(requests, that_were_not_submitted_can_be_cancelled) {
    const ends pipe = make_pipe();
    operation &op = on.read_byte(pipe);
    EXPECT_FALSE(on->cancel(op)) << "the queue cannot be read backwards";
    ASSERT_TRUE(on.collect_up_to(1));
    EXPECT_EQ(op.result, -ECANCELED);
}

TEST_F(requests, that_are_complete_keep_their_result) {
    const ends pipe = make_pipe();
    put(pipe.writer, "x");
    operation &op = on.read_byte(pipe);
    on->submit();
    EXPECT_FALSE(on->cancel(op));
    ASSERT_TRUE(on.collect_up_to(1));
    EXPECT_EQ(op.result, 1);
    for (int i = 0; i < 3; ++i) {
        on->sleep(&no_time);
        EXPECT_EQ(on.collect(), given{}) << "given twice";
    }
    EXPECT_TRUE(on->is_idle());
}

// ---- The alarm, and sleeping ---------------------------------------------------------------------------------------

TEST_F(requests, ring_the_alarm_when_it_is_on) {
    const ends pipe = make_pipe();
    for (int round = 0; round < 3; ++round) {
        on->set_alarm(true);
        on->set_alarm(true); // it is on
        on.read_alarm();     // the kernel may have rung once more for what was collected
        operation &op = on.read_byte(pipe);
        on->submit();
        EXPECT_FALSE(on->has_complete());
        EXPECT_FALSE(is_readable(on.alarm()));
        put(pipe.writer, "x");
        EXPECT_TRUE(becomes_readable(on.alarm())) << "who sleeps elsewhere would not hear of it";
        EXPECT_TRUE(on->has_complete());
        EXPECT_GE(on.read_alarm(), 1U);
        ASSERT_TRUE(comes_true([&] { return op.result == 1 || !on.collect().empty(); }));
        EXPECT_FALSE(on->has_complete());
    }
}

TEST_F(requests, leave_the_alarm_alone_when_it_is_off) {
    const ends pipe = make_pipe();
    for (std::size_t round = 1; round <= 2; ++round) { // off as at the beginning, and off again
        on.read_byte(pipe);
        on->submit();
        put(pipe.writer, "x");
        ASSERT_TRUE(comes_true([&] { return on->has_complete(); }));
        EXPECT_EQ(on.read_alarm(), 0U);
        on->set_alarm(true);
        EXPECT_TRUE(on->has_complete()) << "what came before the alarm was on is lost";
        ASSERT_TRUE(on.collect_up_to(round));
        on->set_alarm(false);
        on.read_alarm();
    }
}

TEST_F(requests, are_slept_for) {
    const ends pipe = make_pipe();
    EXPECT_EQ(on->sleep(&no_time), -ETIME);
    const timespec moment{0, 1'000'000};
    const std::int64_t began_ns = laio::now_ns();
    EXPECT_EQ(on->sleep(&moment), -ETIME);
    EXPECT_GE(laio::now_ns() - began_ns, moment.tv_nsec);
    operation &op = on.read_byte(pipe);
    put(pipe.writer, "x");
    EXPECT_EQ(on->sleep(nullptr), 0) << "it submits what was not";
    EXPECT_EQ(on.collect(), (given{&op}));
}

void nothing(int) {}

TEST_F(requests, are_not_lost_when_a_signal_ends_the_sleep) {
    const ends pipe = make_pipe();
    operation &op = on.read_byte(pipe);
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = nothing;
    ASSERT_EQ(sigaction(SIGALRM, &action, &before), 0);
    itimerval often{{0, 2000}, {0, 2000}}; // again and again: one may come before the sleep
    ASSERT_EQ(setitimer(ITIMER_REAL, &often, nullptr), 0);
    const timespec limit{hang_s, 0};
    int r = 0;
    for (int i = 0; i < 10 && r == 0; ++i) r = on->sleep(&limit); // woken by what the first one submitted, perhaps
    often = {};
    setitimer(ITIMER_REAL, &often, nullptr);
    sigaction(SIGALRM, &before, nullptr);
    EXPECT_EQ(r, -EINTR);
    EXPECT_EQ(on.collect(), given{});
    put(pipe.writer, "x");
    ASSERT_TRUE(on.collect_up_to(1));
    EXPECT_EQ(op.result, 1);
}

} // namespace
