#include "loop/libevent_uring_multiplexer.hpp"

#include <event2/event.h>

#include <sys/eventfd.h>
#include <unistd.h>

#include <system_error>

namespace httpd {

// Edge-triggered: each signal wakes the wait, so that the eventfd need not be read.
libevent_uring_multiplexer::libevent_uring_multiplexer(unsigned workers)
    : ring_(workers), eventfd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (eventfd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    event_assign(&event_, base(), eventfd_, EV_READ | EV_PERSIST | EV_ET, signalled, this);
    if (event_add(&event_, nullptr) != 0) throw std::system_error(errno, std::generic_category(), "event_add");
    ring_.signal_by(eventfd_);
}

libevent_uring_multiplexer::~libevent_uring_multiplexer() {
    event_del(&event_);
    ring_.end();
    ::close(eventfd_);
}

void libevent_uring_multiplexer::wait(std::int64_t timeout_ns) {
    ring_.submit();
    libevent_multiplexer::wait(timeout_ns);
}

void libevent_uring_multiplexer::signalled(evutil_socket_t /*eventfd*/, short /*what*/, void *arg) {
    auto &self = *static_cast<libevent_uring_multiplexer *>(arg);
    self.woke();
    do {
        self.ring_.submit_and_wait(0);
        self.ring_.tell();
    } while (self.ring_.has_completed());
}

} // namespace httpd
