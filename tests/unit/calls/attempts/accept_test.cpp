// accept and connect: errors and O_NONBLOCK in place; what may wait goes to who can make it without holding up the loop.
#include "unit/calls/files.hpp"
#include "unit/calls/trial.hpp"

namespace {

using namespace laio::test; // NOLINT(google-build-using-namespace)
using laio::blocked;
using laio::done;
using laio::surroundings;
using laio::until;

class connecting : public testing::Test {
protected:
    surroundings world = make_world();
    sockaddr_in address{};
    const descriptor listener = make_listener(address);

    static descriptor make_socket(int flags = 0) {
        return descriptor{must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0), "socket")};
    }
    [[nodiscard]] descriptor connect_to_it() const {
        descriptor made = make_socket();
        must(connect(made, reinterpret_cast<const sockaddr *>(&address), sizeof address), "connect");
        return made;
    }
    static bool is_gone_or_closed(long number) { return number < 0 || close(static_cast<int>(number)) == 0; }
};

TEST_F(connecting, accept_waits_for_the_listener_and_is_made_by_who_may_block) {
    EXPECT_EQ(attempt_of(world, SYS_accept, listener, nullptr, nullptr), blocked(until::readable_carrier));
    EXPECT_EQ(attempt_of(world, SYS_accept4, listener, nullptr, nullptr, SOCK_CLOEXEC),
              blocked(until::readable_carrier));
    const descriptor client = connect_to_it();
    trial tried{world, SYS_accept4, listener, nullptr, nullptr, SOCK_CLOEXEC};
    EXPECT_EQ(tried.attempt(), blocked(until::carrier)) << "there is a connection, and another may take it first";
    const descriptor accepted{static_cast<int>(tried.go_on())};
    put(client, "hello");
    EXPECT_EQ(get(accepted, 5), "hello");
}

TEST_F(connecting, accept_is_the_ring_s_where_there_is_one) {
    world.has_ring = true;
    EXPECT_EQ(attempt_of(world, SYS_accept, listener, nullptr, nullptr), blocked(until::ring));
    const timeval time{1000, 0}; // the ring does not know it
    must(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time), "setsockopt");
    EXPECT_EQ(attempt_of(world, SYS_accept, listener, nullptr, nullptr), blocked(until::readable_carrier));
}

TEST_F(connecting, accept_on_a_nonblocking_listener_does_not_wait) {
    set_nonblocking(listener);
    for (const bool has_ring : {false, true}) {
        world.has_ring = has_ring;
        EXPECT_EQ(attempt_of(world, SYS_accept, listener, nullptr, nullptr), done(-EAGAIN));
        const descriptor client = connect_to_it();
        const laio::outcome next = attempt_of(world, SYS_accept4, listener, nullptr, nullptr, SOCK_CLOEXEC);
        EXPECT_EQ(next.waits_for, until::nothing);
        ASSERT_GE(next.result, 0);
        EXPECT_TRUE(is_gone_or_closed(next.result));
    }
}

TEST_F(connecting, accept_where_nothing_can_come_fails_at_once) {
    const ends pipe = make_pipe();
    const ends sockets = make_sockets();
    const ends datagrams = make_sockets(SOCK_DGRAM);
    const descriptor alone = make_socket();
    for (const bool has_ring : {false, true}) {
        world.has_ring = has_ring;
        for (const int number : {static_cast<int>(pipe.out), static_cast<int>(sockets.out),
                                 static_cast<int>(datagrams.out), static_cast<int>(alone), -1, INT_MAX}) {
            SCOPED_TRACE(number);
            EXPECT_EQ(attempt_of(world, SYS_accept, number, nullptr, nullptr),
                      done(plain(SYS_accept, number, nullptr, nullptr)));
            EXPECT_EQ(attempt_of(world, SYS_accept4, number, nullptr, nullptr, 0),
                      done(plain(SYS_accept4, number, nullptr, nullptr, 0)));
        }
    }
}

TEST_F(connecting, accept_with_flags_that_mean_nothing_fails_at_once) {
    constexpr int unknown = 0x40000000;
    ASSERT_EQ(plain(SYS_accept4, listener, nullptr, nullptr, unknown), -EINVAL);
    EXPECT_EQ(attempt_of(world, SYS_accept4, listener, nullptr, nullptr, unknown), done(-EINVAL));
}

TEST_F(connecting, connect_goes_to_who_can_make_it) {
    const descriptor client = make_socket();
    trial tried{world, SYS_connect, client, &address, sizeof address};
    EXPECT_EQ(tried.attempt(), blocked(until::carrier));
    EXPECT_EQ(attempt_of(world, SYS_accept, listener, nullptr, nullptr), blocked(until::readable_carrier));
    EXPECT_EQ(plain(SYS_getpeername, client, &address, std::array<socklen_t, 1>{sizeof address}.data()), -ENOTCONN)
        << "nothing was begun";
    EXPECT_EQ(tried.go_on(), 0);
    world.has_ring = true;
    EXPECT_EQ(attempt_of(world, SYS_connect, make_socket(), &address, sizeof address), blocked(until::ring));
}

TEST_F(connecting, connect_of_a_nonblocking_socket_is_the_plain_one) {
    const descriptor client = make_socket(SOCK_NONBLOCK);
    EXPECT_EQ(attempt_of(world, SYS_connect, client, &address, sizeof address), done(-EINPROGRESS));
    pollfd item{client, POLLOUT, 0};
    ASSERT_EQ(poll(&item, 1, 10'000), 1);
    EXPECT_EQ(attempt_of(world, SYS_connect, client, &address, sizeof address).waits_for, until::nothing);
}

TEST_F(connecting, connect_that_cannot_be_is_like_the_plain_call) {
    const ends pipe = make_pipe();
    const fence memory;
    const descriptor client = make_socket();
    const descriptor connected = connect_to_it();
    EXPECT_EQ(attempt_of(world, SYS_connect, -1, &address, sizeof address), done(-EBADF));
    EXPECT_EQ(trial(world, SYS_connect, pipe.out, &address, sizeof address).finish(), -ENOTSOCK);
    EXPECT_EQ(trial(world, SYS_connect, client, memory.beyond(), sizeof address).finish(), -EFAULT);
    EXPECT_EQ(trial(world, SYS_connect, client, &address, 3).finish(), -EINVAL);
    EXPECT_EQ(trial(world, SYS_connect, connected, &address, sizeof address).finish(), -EISCONN);
}

} // namespace
