// The event base of libevent with a ring of io_uring beside it, for versions whose network is libevent's and whose disk is
// the ring. What a turn asks of the ring is submitted once, before the wait; the ring signals completions by an eventfd,
// which is an event as any other. (Waiting for the ring's own descriptor lost: with DEFER_TASKRUN it is not the ring that
// becomes readable first, but work that somebody has to ask for.)
#pragma once

#include "loop/libevent_multiplexer.hpp"
#include "loop/uring.hpp"

namespace httpd {

class libevent_uring_multiplexer final : public libevent_multiplexer {
public:
    explicit libevent_uring_multiplexer(unsigned workers); // throws std::system_error
    ~libevent_uring_multiplexer() override;

    uring &ring() { return ring_; }

    void wait(std::int64_t timeout_ns) override;

private:
    static void signalled(evutil_socket_t eventfd, short what, void *arg);

    uring ring_;
    int eventfd_;
    event event_{};
};

} // namespace httpd
