// sendto, sendmsg, sendmmsg: MSG_DONTWAIT. Complete when all bytes (messages) went, or those that went before an error.
#include "calls/attempts/forms.hpp"
#include "calls/transfer.hpp"

#include <climits>

namespace laio {
namespace {

long send_now(operation &op, long flags) {
    const auto &a = op.made.a;
    if (op.moved > 0) flags |= MSG_NOSIGNAL; // after the first byte the count is the answer, not the error
    if (is_header_call(op)) return system_call(SYS_sendmsg, a[0], word(header_of(op)), flags);
    iovec single;
    rest_of(op, single);
    return system_call(SYS_sendto, a[0], word(single.iov_base), static_cast<long>(single.iov_len), flags, a[4], a[5]);
}

} // namespace

outcome account_send(operation &op, surroundings &world, long result) {
    if (result == -EAGAIN) {
        world.hints.note_room(descriptor_of(op), 0);
        return blocked_unless_nonblocking(op, world, until::writable);
    }
    if (result < 0) return done_with(op, result);
    world.hints.note_socket(descriptor_of(op));
    world.hints.use_room(descriptor_of(op), static_cast<std::uint64_t>(result));
    if (op.wanted == 0) op.wanted = size_of(op);
    note_moved(op, static_cast<std::uint64_t>(result));
    if (op.moved >= op.wanted || result == 0 || must_not_wait(op, world)) return done_with(op, 0);
    return blocked(until::writable);
}

outcome attempt_send(operation &op, surroundings &world) {
    const long flags = message_flags(op);
    if ((flags & MSG_DONTWAIT) != 0) {
        const long r = in_place(op);
        if (r > 0) world.hints.use_room(descriptor_of(op), static_cast<std::uint64_t>(r));
        return done(r);
    }
    return account_send(op, world, send_now(op, flags | MSG_DONTWAIT));
}

outcome attempt_send_many(operation &op, surroundings &world) {
    const auto &a = op.made.a;
    world.hints.note_room(descriptor_of(op), 0); // how many bytes go is not counted here
    if ((a[3] & MSG_DONTWAIT) != 0) return done(in_place(op));
    const long stride = sizeof(mmsghdr);
    const long moved = static_cast<long>(op.moved);
    const auto given = static_cast<unsigned>(a[2]);
    const unsigned length = given < IOV_MAX ? given : IOV_MAX; // more are not looked at
    const long r =
        system_call(SYS_sendmmsg, a[0], a[1] + moved * stride, static_cast<long>(length) - moved, a[3] | MSG_DONTWAIT);
    if (r == -EAGAIN) return blocked_unless_nonblocking(op, world, until::writable);
    if (r <= 0) return done_with(op, r);
    op.moved += static_cast<std::uint64_t>(r);
    if (op.moved >= length || must_not_wait(op, world)) return done_with(op, 0);
    return blocked(until::writable);
}

} // namespace laio
