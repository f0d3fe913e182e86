#include "loop/uring_multiplexer.hpp"

#include <poll.h>

namespace httpd {

uring_multiplexer::~uring_multiplexer() { ring_.end(); }

void uring_multiplexer::wait(std::int64_t timeout_ns) {
    ring_.submit_and_wait(timeout_ns);
    if (!ring_.has_completed()) return;
    woke();
    ring_.tell();
}

outcome uring_multiplexer::readability::wait_for(task &who, int descriptor) {
    ring_.add(*this, 0, [&](io_uring_sqe &entry) { io_uring_prep_poll_add(&entry, descriptor, POLLIN); });
    return begin(who);
}

void uring_multiplexer::readability::completed(unsigned /*which*/, int result) {
    finish(result < 0 ? outcome::failure(-result) : outcome{});
}

} // namespace httpd
