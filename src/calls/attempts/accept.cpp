// accept, accept4, connect.
//
// They have no non-blocking form of their own: a look with poll(2) is none, as others may share the listener and take
// the connection first, and a fresh socket looks ready to connect. Where calls are made in place, an accept is made so once its
// listener is readable: a ring with an accept in it would have the application leave its home for every other call in
// place. The ring can do both without blocking. Without it an accept waits until its listener is readable and is then made
// by somebody who may block, as is a connect.
#include "calls/attempts/forms.hpp"

#include <fcntl.h>
#include <poll.h>

namespace laio {

outcome attempt_accept(operation &op, surroundings &world) {
    if (world.makes_in_place && is_ready(descriptor_of(op), POLLIN)) return blocked(until::carrier);
    constexpr long flags_known = SOCK_CLOEXEC | SOCK_NONBLOCK;
    if (op.made.number == SYS_accept4 && (op.made.a[3] & 0xffffffff & ~flags_known) != 0) return done(in_place(op));
    const long flags = status_flags(descriptor_of(op));
    if (flags < 0 || (flags & O_NONBLOCK) != 0) return done(in_place(op));
    int listens = 0;
    if (socket_option(descriptor_of(op), SO_ACCEPTCONN, listens) < 0 || listens == 0) return done(in_place(op));
    if (world.makes_in_place && world.waits_in_epoll) return found_nothing(op, until::readable_carrier);
    if (world.has_ring && socket_timeout_ns(descriptor_of(op), SO_RCVTIMEO) == 0) return blocked(until::ring);
    return once_readable(op);
}

outcome attempt_connect(operation &op, surroundings &world) {
    const long flags = status_flags(descriptor_of(op));
    if (flags < 0 || (flags & O_NONBLOCK) != 0) return done(in_place(op));
    if (world.has_ring && socket_timeout_ns(descriptor_of(op), SO_SNDTIMEO) == 0) return blocked(until::ring);
    return blocked(until::carrier);
}

} // namespace laio
