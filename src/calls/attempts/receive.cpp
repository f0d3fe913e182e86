// recvfrom, recvmsg, recvmmsg: MSG_DONTWAIT.
//
// Complete with what is there, at least one byte; with all that was asked for under MSG_WAITALL, and with what
// SO_RCVLOWAT asks for, on sockets that are streams. What was received before an error or an end is the result.
#include "calls/attempts/forms.hpp"
#include "calls/transfer.hpp"

namespace laio {
namespace {

// How many bytes make it complete, once it is known that there are fewer than asked for.
std::uint64_t wanted_of_stream(int descriptor, descriptor_hints &hints, long flags, std::uint64_t asked) {
    int low_water = 1;
    if ((flags & MSG_WAITALL) == 0) {
        if (hints.is_unmarked(descriptor) || socket_option(descriptor, SO_RCVLOWAT, low_water) < 0) return 1;
        if (low_water <= 1) {
            hints.note_unmarked(descriptor);
            return 1;
        }
    }
    int type = 0;
    if (socket_option(descriptor, SO_TYPE, type) < 0 || type != SOCK_STREAM) return 1;
    const auto low = static_cast<std::uint64_t>(low_water);
    return (flags & MSG_WAITALL) != 0 || low > asked ? asked : low;
}

long receive_now(operation &op, long flags) {
    const auto &a = op.made.a;
    if (is_header_call(op)) return system_call(SYS_recvmsg, a[0], word(header_of(op)), flags);
    if (op.moved == 0) return system_call(SYS_recvfrom, a[0], a[1], a[2], flags, a[4], a[5]);
    iovec single;
    rest_of(op, single);
    return system_call(SYS_recvfrom, a[0], word(single.iov_base), static_cast<long>(single.iov_len), flags, 0, 0);
}

} // namespace

outcome account_receive(operation &op, surroundings &world, long result) {
    if (result == -EAGAIN) return blocked_unless_nonblocking(op, world, until::readable);
    if (result <= 0) {
        if (result == 0) write_back(op);
        return done_with(op, result);
    }
    const std::uint64_t asked = size_of(op);
    write_back(op);
    const auto bytes = static_cast<std::uint64_t>(result);
    if (op.moved + bytes < asked && op.wanted == 0)
        op.wanted = wanted_of_stream(descriptor_of(op), world.hints, message_flags(op), asked);
    if (op.moved + bytes >= asked || op.moved + bytes >= op.wanted) {
        op.moved += bytes;
        return done_with(op, 0);
    }
    if ((message_flags(op) & MSG_PEEK) != 0) return blocked(until::carrier); // looking does not move the stream on
    note_moved(op, bytes);
    return must_not_wait(op, world) ? done_with(op, 0) : blocked(until::readable);
}

outcome attempt_receive(operation &op, surroundings &world) {
    const long flags = message_flags(op);
    world.hints.note_socket(descriptor_of(op));
    if ((flags & (MSG_DONTWAIT | MSG_ERRQUEUE | MSG_OOB)) != 0) return done(in_place(op)); // none of them waits
    for (;;) {
        const std::uint64_t before = op.moved;
        const outcome next = account_receive(op, world, receive_now(op, flags | MSG_DONTWAIT));
        if (next.waits_for != until::readable || op.moved == before || capture(op) != 0) return next;
    }
}

// The array of struct mmsghdr is in and out, so it stays the application's; `moved` counts messages.
outcome attempt_receive_many(operation &op, surroundings &world) {
    const auto &a = op.made.a;
    if ((a[3] & (MSG_DONTWAIT | MSG_ERRQUEUE)) != 0) return done(in_place(op));
    if (a[4] != 0) return blocked(until::carrier); // a time-out that the kernel looks at between messages
    const long stride = sizeof(mmsghdr);
    const long moved = static_cast<long>(op.moved);
    const auto length = static_cast<unsigned>(a[2]);
    const long r = system_call(SYS_recvmmsg, a[0], a[1] + moved * stride, static_cast<long>(length) - moved,
                               a[3] | MSG_DONTWAIT, 0);
    if (r == -EAGAIN) return blocked_unless_nonblocking(op, world, until::readable);
    if (r <= 0) return done_with(op, r);
    op.moved += static_cast<std::uint64_t>(r);
    if (op.moved >= length || (a[3] & MSG_WAITFORONE) != 0 || must_not_wait(op, world)) return done_with(op, 0);
    return blocked(until::readable);
}

} // namespace laio
