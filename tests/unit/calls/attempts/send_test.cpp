// sendto, sendmsg, sendmmsg: complete with the last byte or message; names, control data and signals as with the plain call.
#include "unit/calls/files.hpp"
#include "unit/calls/trial.hpp"

#include <csignal>
#include <cstring>
#include <vector>

namespace {

using namespace laio::test; // NOLINT(google-build-using-namespace)
using laio::blocked;
using laio::done;
using laio::surroundings;
using laio::until;

volatile std::sig_atomic_t broken_pipes = 0;
void count_broken_pipe(int /*signal*/) { broken_pipes = broken_pipes + 1; }

class sending : public testing::Test {
protected:
    surroundings world = make_world();
    const ends stream = make_sockets();
    const ends connection = make_tcp();
    const ends datagrams = make_sockets(SOCK_DGRAM);

    void SetUp() override { std::signal(SIGPIPE, SIG_IGN); }
    void TearDown() override { std::signal(SIGPIPE, SIG_DFL); }
};

long drain(trial &sender, int from, std::string &arrived) {
    std::string piece(100'000, '\0');
    for (;;) {
        const ssize_t r = must(read(from, piece.data(), piece.size()), "read");
        arrived.append(piece, 0, static_cast<std::size_t>(r));
        const laio::outcome next = sender.attempt();
        if (next.waits_for == until::nothing) return next.result;
        EXPECT_EQ(next, blocked(until::writable));
        if (next.waits_for != until::writable) return never;
    }
}

TEST_F(sending, what_there_is_room_for_is_done_in_place) {
    for (const ends *sockets : {&stream, &connection, &datagrams}) {
        EXPECT_EQ(attempt_of(world, SYS_sendto, sockets->in, "hello", 5, 0, nullptr, 0), done(5));
        EXPECT_EQ(get(sockets->out, 5), "hello");
    }
}

TEST_F(sending, what_there_is_no_room_for_waits) {
    for (const ends *sockets : {&stream, &connection, &datagrams}) {
        fill(sockets->in);
        trial tried{world, SYS_sendto, sockets->in, "hello", 5, 0, nullptr, 0};
        for (int i = 0; i < 3; ++i) EXPECT_EQ(tried.attempt(), blocked(until::writable));
        EXPECT_EQ(attempt_of(world, SYS_sendto, sockets->in, "x", 1, MSG_DONTWAIT, nullptr, 0), done(-EAGAIN));
        set_nonblocking(sockets->in);
        EXPECT_EQ(attempt_of(world, SYS_sendto, sockets->in, "x", 1, 0, nullptr, 0), done(-EAGAIN));
        EXPECT_EQ(tried.attempt(), blocked(until::writable)) << "it waits already";
    }
}

TEST_F(sending, much_is_complete_with_the_last_byte) {
    const std::string content = pattern(8'000'000);
    for (const ends *sockets : {&stream, &connection}) {
        trial tried{world, SYS_sendto, sockets->in, content.data(), content.size(), 0, nullptr, 0};
        ASSERT_EQ(tried.attempt(), blocked(until::writable));
        std::string arrived;
        EXPECT_EQ(drain(tried, sockets->out, arrived), 8'000'000);
        arrived += get(sockets->out, content.size() - arrived.size());
        EXPECT_TRUE(arrived == content);
    }
}

TEST_F(sending, a_part_of_much_to_a_nonblocking_socket_is_its_count) {
    const std::string much(8'000'000, 'x');
    set_nonblocking(connection.in);
    trial tried{world, SYS_sendto, connection.in, much.data(), much.size(), 0, nullptr, 0};
    const laio::outcome next = tried.attempt();
    EXPECT_EQ(next.waits_for, until::nothing);
    EXPECT_GT(next.result, 0);
    EXPECT_LT(next.result, 8'000'000);
}

TEST_F(sending, a_message_is_complete_with_the_last_byte_and_its_descriptor_goes_once) {
    std::string content = pattern(3'000'000);
    const ends pipe = make_pipe();
    const int passed = pipe.in;
    std::vector<iovec> vector;
    for (std::size_t at = 0; at < content.size(); at += 30'000) {
        vector.push_back({content.data() + at, 30'000});
        vector.push_back({nullptr, 0});
    }
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    msghdr header{};
    header.msg_iov = vector.data();
    header.msg_iovlen = vector.size();
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    cmsghdr *part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof passed);
    std::memcpy(CMSG_DATA(part), &passed, sizeof passed);
    trial tried{world, SYS_sendmsg, stream.in, &header, 0};
    ASSERT_EQ(tried.attempt(), blocked(until::writable));
    EXPECT_EQ(header.msg_iov, vector.data());
    EXPECT_EQ(header.msg_control, control);
    header = {}; // the application's again
    for (iovec &entry : vector) entry = {nullptr, 99};

    std::string arrived;
    int descriptors_seen = 0;
    for (laio::outcome next = blocked(until::writable); arrived.size() < content.size();) {
        std::string piece(100'000, '\0');
        iovec one{piece.data(), piece.size()};
        alignas(cmsghdr) char incoming[CMSG_SPACE(4 * sizeof(int))]{};
        msghdr got{};
        got.msg_iov = &one;
        got.msg_iovlen = 1;
        got.msg_control = incoming;
        got.msg_controllen = sizeof incoming;
        const ssize_t r = must(recvmsg(stream.out, &got, MSG_CMSG_CLOEXEC), "recvmsg");
        arrived.append(piece, 0, static_cast<std::size_t>(r));
        if (const cmsghdr *found = CMSG_FIRSTHDR(&got); found != nullptr) {
            ++descriptors_seen;
            int number = -1;
            std::memcpy(&number, CMSG_DATA(found), sizeof number);
            close(number);
        }
        if (next.waits_for != until::nothing) next = tried.attempt();
        if (next.waits_for == until::nothing) { EXPECT_EQ(next.result, 3'000'000); }
    }
    EXPECT_TRUE(arrived == content);
    EXPECT_EQ(descriptors_seen, 1);
}

TEST_F(sending, a_message_without_bytes_keeps_its_name_when_the_application_s_is_gone) {
    fill(datagrams.in);
    msghdr header{};
    trial tried{world, SYS_sendmsg, datagrams.in, &header, 0};
    ASSERT_EQ(tried.attempt(), blocked(until::writable));
    header.msg_iov = reinterpret_cast<iovec *>(8); // the application's again
    header.msg_iovlen = 1;
    std::string piece(100'000, '\0');
    set_nonblocking(datagrams.out);
    while (recv(datagrams.out, piece.data(), piece.size(), 0) > 0) {}
    EXPECT_EQ(tried.go_on(), 0);
}

TEST_F(sending, a_datagram_goes_to_its_address) {
    const descriptor receiver{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    const descriptor sender{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof to;
    must(bind(receiver, reinterpret_cast<sockaddr *>(&to), length), "bind");
    must(getsockname(receiver, reinterpret_cast<sockaddr *>(&to), &length), "getsockname");
    EXPECT_EQ(attempt_of(world, SYS_sendto, sender, "hello", 5, 0, &to, sizeof to), done(5));
    EXPECT_EQ(get(receiver, 5), "hello");
    EXPECT_EQ(attempt_of(world, SYS_sendto, receiver, "hello", 5, 0, nullptr, 0), done(-EDESTADDRREQ));
}

TEST_F(sending, nothing_is_like_the_plain_call) {
    for (const ends *sockets : {&stream, &connection, &datagrams}) {
        EXPECT_EQ(attempt_of(world, SYS_sendto, sockets->in, "", 0, 0, nullptr, 0), done(0));
        EXPECT_EQ(has_something(sockets->out), sockets == &datagrams) << "only datagrams can be empty";
    }
}

// ---- Several messages ------------------------------------------------------------------------------------------------------

struct messages {
    explicit messages(std::size_t count) : vectors(count), headers(count) {
        for (std::size_t i = 0; i < count; ++i) {
            vectors[i] = {const_cast<char *>("0123456789") + i % 10, 1};
            headers[i].msg_hdr.msg_iov = &vectors[i];
            headers[i].msg_hdr.msg_iovlen = 1;
        }
    }
    std::vector<iovec> vectors;
    std::vector<mmsghdr> headers;
};

TEST_F(sending, several_messages_is_complete_with_the_last_one) {
    messages several{1000};
    trial tried{world, SYS_sendmmsg, datagrams.in, several.headers.data(), 1000, 0};
    laio::outcome next = tried.attempt();
    ASSERT_EQ(next, blocked(until::writable)) << "so many fit into no queue";
    std::string arrived;
    while (next.waits_for != until::nothing || has_something(datagrams.out)) {
        char byte = 0;
        ASSERT_EQ(must(recv(datagrams.out, &byte, 1, 0), "recv"), 1);
        arrived += byte;
        if (next.waits_for != until::nothing) next = tried.attempt();
    }
    EXPECT_EQ(next, done(1000));
    ASSERT_EQ(arrived.size(), 1000U);
    for (std::size_t i = 0; i < arrived.size(); ++i) ASSERT_EQ(arrived[i], "0123456789"[i % 10]) << i;
}

TEST_F(sending, several_messages_does_not_wait_where_it_is_asked_not_to) {
    messages several{1000};
    const laio::outcome some =
        attempt_of(world, SYS_sendmmsg, datagrams.in, several.headers.data(), 1000, MSG_DONTWAIT);
    EXPECT_EQ(some.waits_for, until::nothing);
    EXPECT_GT(some.result, 0);
    EXPECT_LT(some.result, 1000);
    set_nonblocking(datagrams.in);
    EXPECT_EQ(attempt_of(world, SYS_sendmmsg, datagrams.in, several.headers.data(), 1000, 0), done(-EAGAIN));
}

TEST_F(sending, more_messages_than_linux_takes_at_once_is_like_the_plain_call) {
    messages several{2000};
    const descriptor sender{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)}; // to itself; what does not fit is dropped
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof to;
    must(bind(sender, reinterpret_cast<sockaddr *>(&to), length), "bind");
    must(getsockname(sender, reinterpret_cast<sockaddr *>(&to), &length), "getsockname");
    must(connect(sender, reinterpret_cast<sockaddr *>(&to), length), "connect");
    const long expected = plain(SYS_sendmmsg, sender, several.headers.data(), 2000, 0);
    EXPECT_EQ(trial(world, SYS_sendmmsg, sender, several.headers.data(), 2000, 0).finish(), expected);
}

// ---- Errors --------------------------------------------------------------------------------------------------------------------

TEST_F(sending, to_nobody_is_a_broken_pipe_with_its_signal_unless_that_is_not_wanted) {
    std::signal(SIGPIPE, count_broken_pipe);
    ends gone = make_sockets();
    gone.out.reset();
    iovec one{const_cast<char *>("x"), 1};
    msghdr header{};
    header.msg_iov = &one;
    header.msg_iovlen = 1;
    broken_pipes = 0;
    EXPECT_EQ(attempt_of(world, SYS_sendto, gone.in, "x", 1, 0, nullptr, 0), done(-EPIPE));
    EXPECT_EQ(broken_pipes, 1);
    EXPECT_EQ(attempt_of(world, SYS_sendmsg, gone.in, &header, 0), done(-EPIPE));
    EXPECT_EQ(broken_pipes, 2);
    EXPECT_EQ(attempt_of(world, SYS_sendto, gone.in, "x", 1, MSG_NOSIGNAL, nullptr, 0), done(-EPIPE));
    EXPECT_EQ(attempt_of(world, SYS_sendmsg, gone.in, &header, MSG_NOSIGNAL), done(-EPIPE));
    EXPECT_EQ(broken_pipes, 2);
}

TEST_F(sending, gives_what_went_before_the_other_end_closed) {
    ends sockets = make_sockets();
    const std::string much(8'000'000, 'x');
    trial tried{world, SYS_sendto, sockets.in, much.data(), much.size(), 0, nullptr, 0};
    ASSERT_EQ(tried.attempt(), blocked(until::writable));
    const auto moved = static_cast<long>(tried.op().moved);
    std::signal(SIGPIPE, count_broken_pipe);
    broken_pipes = 0;
    sockets.out.reset();
    EXPECT_EQ(tried.go_on(), moved);
    EXPECT_EQ(broken_pipes, 0) << "its answer is a count";
}

TEST_F(sending, by_what_is_no_socket_or_from_no_memory_is_like_the_plain_call) {
    const ends pipe = make_pipe();
    const descriptor alone{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    messages several{1};
    msghdr header = several.headers[0].msg_hdr;
    for (const int number :
         {static_cast<int>(pipe.out), static_cast<int>(pipe.in), static_cast<int>(alone), -1, INT_MAX}) {
        SCOPED_TRACE(number);
        EXPECT_EQ(attempt_of(world, SYS_sendto, number, "x", 1, 0, nullptr, 0),
                  done(plain(SYS_sendto, number, "x", 1, 0, nullptr, 0)));
        EXPECT_EQ(attempt_of(world, SYS_sendmsg, number, &header, 0), done(plain(SYS_sendmsg, number, &header, 0)));
        EXPECT_EQ(attempt_of(world, SYS_sendmmsg, number, several.headers.data(), 1, 0),
                  done(plain(SYS_sendmmsg, number, several.headers.data(), 1, 0)));
    }
    const fence memory;
    for (const ends *sockets : {&stream, &connection, &datagrams}) {
        EXPECT_EQ(attempt_of(world, SYS_sendto, sockets->in, memory.beyond(), 5, 0, nullptr, 0), done(-EFAULT));
        EXPECT_EQ(attempt_of(world, SYS_sendmsg, sockets->in, memory.beyond(), 0), done(-EFAULT));
        EXPECT_EQ(attempt_of(world, SYS_sendmmsg, sockets->in, memory.beyond(), 1, 0), done(-EFAULT));
        EXPECT_FALSE(has_something(sockets->out));
    }
}

// ---- Results that an engine brings -----------------------------------------------------------------------------------------

TEST_F(sending, that_the_ring_made_is_done_or_goes_on) {
    const std::string content = pattern(1000);
    trial tried{world, SYS_sendto, stream.in, content.data(), 1000, 0, nullptr, 0};
    EXPECT_EQ(account(tried.op(), world, 400), blocked(until::writable));
    EXPECT_EQ(account(tried.op(), world, 600), done(1000));
    trial cut{world, SYS_sendto, stream.in, content.data(), 1000, 0, nullptr, 0};
    EXPECT_EQ(account(cut.op(), world, 400), blocked(until::writable));
    EXPECT_EQ(account(cut.op(), world, -EPIPE), done(400));
}

} // namespace
