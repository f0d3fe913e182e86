// recvfrom, recvmsg, recvmmsg: complete with what is there, or with all of it where that was asked for; addresses, control
// data and flags as the plain call gives them.
#include "unit/calls/files.hpp"
#include "unit/calls/trial.hpp"

#include <cstring>
#include <netinet/tcp.h>
#include <sys/un.h>
#include <vector>

namespace {

using namespace laio::test; // NOLINT(google-build-using-namespace)
using laio::blocked;
using laio::done;
using laio::surroundings;
using laio::until;

class receiving : public testing::Test {
protected:
    surroundings world = make_world();
    char buffer[4096]{};
    const ends stream = make_sockets();
    const ends connection = make_tcp();
    const ends datagrams = make_sockets(SOCK_DGRAM);

    std::string text(std::size_t length) const { return {buffer, length}; }
};

TEST_F(receiving, what_is_there_is_done_in_place) {
    for (const ends *sockets : {&stream, &connection, &datagrams}) {
        put(sockets->in, "hello");
        EXPECT_EQ(attempt_of(world, SYS_recvfrom, sockets->out, buffer, sizeof buffer, 0, nullptr, nullptr), done(5));
        EXPECT_EQ(text(5), "hello");
        EXPECT_FALSE(has_something(sockets->out));
    }
}

TEST_F(receiving, what_is_not_there_waits_for_it) {
    for (const ends *sockets : {&stream, &connection, &datagrams}) {
        trial tried{world, SYS_recvfrom, sockets->out, buffer, sizeof buffer, 0, nullptr, nullptr};
        for (int i = 0; i < 3; ++i) EXPECT_EQ(tried.attempt(), blocked(until::readable));
        put(sockets->in, "hello");
        EXPECT_EQ(tried.go_on(), 5);
        EXPECT_EQ(text(5), "hello");
    }
}

TEST_F(receiving, does_not_wait_where_it_is_asked_not_to) {
    for (const ends *sockets : {&stream, &connection, &datagrams}) {
        EXPECT_EQ(attempt_of(world, SYS_recvfrom, sockets->out, buffer, 10, MSG_DONTWAIT, nullptr, nullptr),
                  done(-EAGAIN));
        set_nonblocking(sockets->out);
        EXPECT_EQ(attempt_of(world, SYS_recvfrom, sockets->out, buffer, 10, 0, nullptr, nullptr), done(-EAGAIN));
        put(sockets->in, "hello");
        const int waitall = sockets == &datagrams ? 0 : MSG_WAITALL;
        EXPECT_EQ(attempt_of(world, SYS_recvfrom, sockets->out, buffer, 10, waitall, nullptr, nullptr), done(5));
    }
}

TEST_F(receiving, of_the_error_queue_does_not_wait) {
    EXPECT_EQ(attempt_of(world, SYS_recvfrom, connection.out, buffer, 10, MSG_ERRQUEUE, nullptr, nullptr),
              done(-EAGAIN));
    const long expected = plain(SYS_recvfrom, connection.out, buffer, 10, MSG_OOB, nullptr, nullptr);
    EXPECT_EQ(attempt_of(world, SYS_recvfrom, connection.out, buffer, 10, MSG_OOB, nullptr, nullptr), done(expected));
}

TEST_F(receiving, gives_zero_when_the_other_end_has_shut_down) {
    for (const ends *sockets : {&stream, &connection}) {
        trial tried{world, SYS_recvfrom, sockets->out, buffer, 10, MSG_WAITALL, nullptr, nullptr};
        EXPECT_EQ(tried.attempt(), blocked(until::readable));
        shutdown(sockets->in, SHUT_WR);
        EXPECT_EQ(tried.go_on(), 0);
    }
}

// ---- How much is enough --------------------------------------------------------------------------------------------------

TEST_F(receiving, all_waits_for_all) {
    for (const ends *sockets : {&stream, &connection}) {
        trial tried{world, SYS_recvfrom, sockets->out, buffer, 10, MSG_WAITALL, nullptr, nullptr};
        put(sockets->in, "012");
        EXPECT_EQ(tried.attempt(), blocked(until::readable));
        put(sockets->in, "345");
        EXPECT_EQ(tried.attempt(), blocked(until::readable));
        put(sockets->in, "6789 and more");
        EXPECT_EQ(tried.go_on(), 10);
        EXPECT_EQ(text(10), "0123456789");
        EXPECT_EQ(get(sockets->out, 9), " and more");
    }
}

TEST_F(receiving, all_gives_what_came_before_the_end) {
    for (const ends *sockets : {&stream, &connection}) {
        trial tried{world, SYS_recvfrom, sockets->out, buffer, 10, MSG_WAITALL, nullptr, nullptr};
        put(sockets->in, "012");
        EXPECT_EQ(tried.attempt(), blocked(until::readable));
        shutdown(sockets->in, SHUT_WR);
        EXPECT_EQ(tried.go_on(), 3);
    }
}

TEST_F(receiving, all_of_a_datagram_is_one_datagram) {
    put(datagrams.in, "012");
    EXPECT_EQ(attempt_of(world, SYS_recvfrom, datagrams.out, buffer, 10, MSG_WAITALL, nullptr, nullptr), done(3));
}

TEST_F(receiving, all_into_a_vector_waits_for_all) {
    for (const ends *sockets : {&stream, &connection}) {
        iovec vector[] = {{buffer, 3}, {nullptr, 0}, {buffer + 3, 2}, {buffer + 5, 5}};
        msghdr header{};
        header.msg_iov = vector;
        header.msg_iovlen = 4;
        trial tried{world, SYS_recvmsg, sockets->out, &header, MSG_WAITALL};
        put(sockets->in, "0123");
        EXPECT_EQ(tried.attempt(), blocked(until::readable));
        for (iovec &entry : vector) entry = {nullptr, 99}; // the application's again
        put(sockets->in, "456789");
        EXPECT_EQ(tried.go_on(), 10);
        EXPECT_EQ(text(10), "0123456789");
    }
}

TEST_F(receiving, a_look_at_all_leaves_it_there) {
    trial tried{world, SYS_recvfrom, stream.out, buffer, 6, MSG_WAITALL | MSG_PEEK, nullptr, nullptr};
    put(stream.in, "012");
    EXPECT_EQ(tried.attempt(), blocked(until::carrier));
    EXPECT_EQ(get(stream.out, 3), "012");
    put(connection.in, "hello");
    ASSERT_EQ(trial(world, SYS_recvfrom, connection.out, buffer, 5, MSG_PEEK, nullptr, nullptr).finish(), 5);
    EXPECT_EQ(get(connection.out, 5), "hello");
}

TEST_F(receiving, as_little_as_the_low_water_mark_waits_for_that) {
    const int low = 6;
    for (const ends *sockets : {&stream, &connection}) {
        must(setsockopt(sockets->out, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof low), "setsockopt");
        trial tried{world, SYS_recvfrom, sockets->out, buffer, 100, 0, nullptr, nullptr};
        put(sockets->in, "0123");
        EXPECT_EQ(tried.attempt(), blocked(until::readable));
        put(sockets->in, sockets == &stream ? "45" : "456789"); // a connection tells of nothing below the mark
        EXPECT_EQ(tried.go_on(), sockets == &stream ? 6 : 10);
        EXPECT_EQ(text(6), "012345");
        const long all = 3; // less than the mark is enough where less is asked for
        put(sockets->in, "abc");
        EXPECT_EQ(attempt_of(world, SYS_recvfrom, sockets->out, buffer, all, 0, nullptr, nullptr), done(3));
    }
}

TEST_F(receiving, a_long_datagram_tells_its_length) {
    put(datagrams.in, "0123456789");
    EXPECT_EQ(attempt_of(world, SYS_recvfrom, datagrams.out, buffer, 4, MSG_TRUNC, nullptr, nullptr), done(10));
}

// ---- Who sent it, and what came with it --------------------------------------------------------------------------------

TEST_F(receiving, tells_the_sender_now_and_later) {
    const descriptor receiver{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    const descriptor sender{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr_in from = to;
    socklen_t length = sizeof to;
    must(bind(receiver, reinterpret_cast<sockaddr *>(&to), length), "bind");
    must(getsockname(receiver, reinterpret_cast<sockaddr *>(&to), &length), "getsockname");
    must(bind(sender, reinterpret_cast<sockaddr *>(&from), length), "bind");
    must(getsockname(sender, reinterpret_cast<sockaddr *>(&from), &length), "getsockname");
    for (const bool later : {false, true}) {
        sockaddr_in seen{};
        socklen_t seen_length = sizeof seen;
        trial tried{world, SYS_recvfrom, receiver, buffer, 100, 0, &seen, &seen_length};
        if (later) { EXPECT_EQ(tried.attempt(), blocked(until::readable)); }
        must(sendto(sender, "hello", 5, 0, reinterpret_cast<sockaddr *>(&to), sizeof to), "sendto");
        EXPECT_EQ(tried.finish(), 5);
        EXPECT_EQ(seen_length, sizeof seen);
        EXPECT_EQ(seen.sin_port, from.sin_port);

        msghdr header{};
        iovec one{buffer, 3};
        header.msg_iov = &one;
        header.msg_iovlen = 1;
        header.msg_name = &seen;
        header.msg_namelen = 100;
        seen = {};
        trial message{world, SYS_recvmsg, receiver, &header, 0};
        if (later) { EXPECT_EQ(message.attempt(), blocked(until::readable)); }
        must(sendto(sender, "hello", 5, 0, reinterpret_cast<sockaddr *>(&to), sizeof to), "sendto");
        EXPECT_EQ(message.finish(), 3);
        EXPECT_EQ(header.msg_namelen, sizeof seen);
        EXPECT_EQ(header.msg_flags, MSG_TRUNC);
        EXPECT_EQ(seen.sin_port, from.sin_port);
    }
}

void send_with_descriptor(int socket, int passed) {
    char byte = 'x';
    iovec one{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    msghdr header{};
    header.msg_iov = &one;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    cmsghdr *part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof passed);
    std::memcpy(CMSG_DATA(part), &passed, sizeof passed);
    must(sendmsg(socket, &header, 0), "sendmsg");
}

TEST_F(receiving, brings_descriptors_now_and_later) {
    const ends pipe = make_pipe();
    for (const bool later : {false, true}) {
        alignas(cmsghdr) char control[200]{};
        iovec one{buffer, 10};
        msghdr header{};
        header.msg_iov = &one;
        header.msg_iovlen = 1;
        header.msg_control = control;
        header.msg_controllen = sizeof control;
        trial tried{world, SYS_recvmsg, stream.out, &header, 0};
        if (later) { EXPECT_EQ(tried.attempt(), blocked(until::readable)); }
        send_with_descriptor(stream.in, pipe.in);
        EXPECT_EQ(tried.finish(), 1);
        ASSERT_EQ(header.msg_controllen, CMSG_SPACE(sizeof(int)));
        int number = -1;
        std::memcpy(&number, CMSG_DATA(CMSG_FIRSTHDR(&header)), sizeof number);
        const descriptor brought{number};
        put(brought, "hello");
        EXPECT_EQ(get(pipe.out, 5), "hello");
    }
}

TEST_F(receiving, without_a_vector_keeps_its_message_when_the_application_s_is_gone) {
    alignas(cmsghdr) char control[200]{};
    msghdr header{};
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    trial tried{world, SYS_recvmsg, datagrams.out, &header, MSG_TRUNC};
    EXPECT_EQ(tried.attempt(), blocked(until::readable));
    header.msg_iov = reinterpret_cast<iovec *>(8); // the application's again
    header.msg_iovlen = 1;
    put(datagrams.in, "hello");
    EXPECT_EQ(tried.go_on(), 5);
}

// ---- Several messages --------------------------------------------------------------------------------------------------------

struct messages {
    explicit messages(std::size_t count) : bytes(count * 16), vectors(count), headers(count) {
        for (std::size_t i = 0; i < count; ++i) {
            vectors[i] = {bytes.data() + 16 * i, 16};
            headers[i].msg_hdr.msg_iov = &vectors[i];
            headers[i].msg_hdr.msg_iovlen = 1;
        }
    }
    [[nodiscard]] std::string text(std::size_t i) const { return {bytes.data() + 16 * i, headers[i].msg_len}; }

    std::vector<char> bytes;
    std::vector<iovec> vectors;
    std::vector<mmsghdr> headers;
};

TEST_F(receiving, several_messages_waits_for_all_of_them) {
    messages several{3};
    trial tried{world, SYS_recvmmsg, datagrams.out, several.headers.data(), 3, 0, nullptr};
    EXPECT_EQ(tried.attempt(), blocked(until::readable));
    put(datagrams.in, "one");
    EXPECT_EQ(tried.attempt(), blocked(until::readable));
    put(datagrams.in, "three");
    put(datagrams.in, "five!");
    put(datagrams.in, "not asked for");
    EXPECT_EQ(tried.go_on(), 3);
    EXPECT_EQ(several.text(0), "one");
    EXPECT_EQ(several.text(1), "three");
    EXPECT_EQ(several.text(2), "five!");
    EXPECT_TRUE(has_something(datagrams.out));
}

TEST_F(receiving, several_messages_is_done_with_those_there_where_one_is_enough) {
    messages several{3};
    put(datagrams.in, "one");
    put(datagrams.in, "two");
    EXPECT_EQ(attempt_of(world, SYS_recvmmsg, datagrams.out, several.headers.data(), 3, MSG_WAITFORONE, nullptr),
              done(2));
    EXPECT_EQ(attempt_of(world, SYS_recvmmsg, datagrams.out, several.headers.data(), 3, MSG_DONTWAIT, nullptr),
              done(-EAGAIN));
    set_nonblocking(datagrams.out);
    EXPECT_EQ(attempt_of(world, SYS_recvmmsg, datagrams.out, several.headers.data(), 3, 0, nullptr), done(-EAGAIN));
    put(datagrams.in, "one");
    EXPECT_EQ(attempt_of(world, SYS_recvmmsg, datagrams.out, several.headers.data(), 3, 0, nullptr), done(1));
}

TEST_F(receiving, several_messages_until_a_time_is_over_is_a_carrier_s) {
    messages several{3};
    const timespec time{1000, 0};
    EXPECT_EQ(attempt_of(world, SYS_recvmmsg, datagrams.out, several.headers.data(), 3, 0, &time),
              blocked(until::carrier));
}

TEST_F(receiving, no_messages_is_like_the_plain_call) {
    EXPECT_EQ(attempt_of(world, SYS_recvmmsg, datagrams.out, nullptr, 0, 0, nullptr),
              done(plain(SYS_recvmmsg, datagrams.out, nullptr, 0, 0, nullptr)));
}

// ---- Errors ---------------------------------------------------------------------------------------------------------------------

TEST_F(receiving, from_what_is_no_socket_is_like_the_plain_call) {
    const ends pipe = make_pipe();
    const descriptor alone{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    messages several{1};
    iovec one{buffer, 8};
    msghdr header{};
    header.msg_iov = &one;
    header.msg_iovlen = 1;
    for (const int number :
         {static_cast<int>(pipe.out), static_cast<int>(pipe.in), static_cast<int>(alone), -1, INT_MAX}) {
        SCOPED_TRACE(number);
        EXPECT_EQ(attempt_of(world, SYS_recvfrom, number, buffer, 8, 0, nullptr, nullptr),
                  done(plain(SYS_recvfrom, number, buffer, 8, 0, nullptr, nullptr)));
        EXPECT_EQ(attempt_of(world, SYS_recvmsg, number, &header, 0), done(plain(SYS_recvmsg, number, &header, 0)));
        EXPECT_EQ(attempt_of(world, SYS_recvmmsg, number, several.headers.data(), 1, 0, nullptr),
                  done(plain(SYS_recvmmsg, number, several.headers.data(), 1, 0, nullptr)));
    }
}

TEST_F(receiving, with_a_bad_pointer_is_like_the_plain_call) {
    const fence memory;
    for (void *bad : {static_cast<void *>(memory.beyond()), static_cast<void *>(nullptr)}) {
        EXPECT_EQ(attempt_of(world, SYS_recvmsg, stream.out, bad, 0), done(-EFAULT));
        msghdr header{};
        header.msg_iov = static_cast<iovec *>(bad);
        header.msg_iovlen = 1;
        EXPECT_EQ(attempt_of(world, SYS_recvmsg, stream.out, &header, 0), done(-EFAULT));
        header.msg_iovlen = IOV_MAX + 1;
        EXPECT_EQ(attempt_of(world, SYS_recvmsg, stream.out, &header, 0), done(-EMSGSIZE));
        for (const auto make : {make_tcp, static_cast<ends (*)()>([] { return make_sockets(SOCK_DGRAM); })}) {
            const ends sockets = make();
            const ends twin = make();
            put(sockets.in, "hello");
            put(twin.in, "hello");
            EXPECT_EQ(attempt_of(world, SYS_recvfrom, sockets.out, bad, 5, 0, nullptr, nullptr),
                      done(plain(SYS_recvfrom, twin.out, bad, 5, 0, nullptr, nullptr)));
            EXPECT_EQ(has_something(sockets.out), has_something(twin.out));
        }
        put(datagrams.in, "hello");
        EXPECT_EQ(attempt_of(world, SYS_recvmmsg, datagrams.out, bad, 1, 0, nullptr), done(-EFAULT));
        while (has_something(datagrams.out)) must(recv(datagrams.out, buffer, 8, 0), "recv");
    }
}

TEST_F(receiving, a_reset_gives_the_error) {
    ends sockets = make_tcp();
    trial tried{world, SYS_recvfrom, sockets.out, buffer, 10, MSG_WAITALL, nullptr, nullptr};
    EXPECT_EQ(tried.attempt(), blocked(until::readable));
    const linger at_once{1, 0};
    must(setsockopt(sockets.in, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), "setsockopt");
    sockets.in.reset();
    EXPECT_EQ(tried.go_on(), -ECONNRESET);
}

} // namespace
