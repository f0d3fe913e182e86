// write, pwrite64, writev, pwritev, pwritev2: MSG_DONTWAIT on a socket, pwritev2(2) with RWF_NOWAIT on a pipe.
//
// Complete when all bytes went, or what went before an error. A regular file is never attempted: half a write now and
// half later would break O_APPEND, and file systems differ (ext4 refuses RWF_NOWAIT, XFS may say EAGAIN for ever).
#include "calls/attempts/forms.hpp"
#include "calls/attempts/nonblocking_twin.hpp"
#include "calls/transfer.hpp"
#include "kernel/readable.hpp"

#include <climits>
#include <fcntl.h>
#include <poll.h>

namespace laio {
namespace {

long send_now(const operation &op, const transfer &rest) {
    const int flags = MSG_DONTWAIT | (op.moved > 0 ? MSG_NOSIGNAL : 0); // after the first byte the count is the answer
    // the application's own vector is the kernel's to read, not ours
    if (rest.count == 1 && (op.vector != nullptr || !is_vector_call(op)))
        return system_call(SYS_sendto, op.made.a[0], word(rest.vector->iov_base),
                           static_cast<long>(rest.vector->iov_len), flags);
    msghdr header{};
    header.msg_iov = const_cast<iovec *>(rest.vector);
    header.msg_iovlen = static_cast<std::size_t>(rest.count);
    return system_call(SYS_sendmsg, op.made.a[0], word(&header), flags);
}

outcome write_to_pipe(operation &op, surroundings &world, const transfer &rest) {
    long r = -EOPNOTSUPP;
    if (world.has.nowait)
        r = system_call(SYS_pwritev2, op.made.a[0], word(rest.vector), rest.count, -1, -1, rest.flags | RWF_NOWAIT);
    if (r != -EOPNOTSUPP && r != -EINVAL && r != -EPERM && r != -ENOSYS) return account_write(op, world, r);
    const long twin = open_nonblocking_twin(descriptor_of(op), O_WRONLY);
    if (twin == -EBADF) return done_with(op, twin);
    if (twin < 0) return blocked(until::carrier);
    r = system_call(SYS_writev, twin, word(rest.vector), rest.count);
    system_call(SYS_close, twin);
    return account_write(op, world, r);
}

// eventfd and its like. That it is writable means that there is room for one.
outcome write_to_counter(operation &op, const surroundings &world) {
    const auto *given = pointer<const std::uint64_t>(op.made.a[1]);
    const bool adds_one = op.made.number == SYS_write && op.made.a[2] == sizeof *given &&
                          is_readable(given, sizeof *given) && *given <= 1;
    if (adds_one && is_ready(descriptor_of(op), POLLOUT)) return done(in_place(op));
    return in_place_or_carrier(op, world);
}

bool is_positioned(const operation &op) {
    return op.made.number == SYS_pwrite64 || op.made.number == SYS_pwritev ||
           (op.made.number == SYS_pwritev2 && op.made.a[3] != -1);
}

outcome write_by_kind(operation &op, surroundings &world, const transfer &rest) {
    const int descriptor = descriptor_of(op);
    file_identity file{};
    if (world.hints.kind(descriptor) == file_kind::pipe && system_call(SYS_fcntl, descriptor, F_GETPIPE_SZ) > 0)
        return write_to_pipe(op, world, rest);
    if (const long r = identify(descriptor, file); r < 0) return done_with(op, r);
    world.hints.note(descriptor, file.kind);
    switch (file.kind) {
    case file_kind::socket: return account_write(op, world, send_now(op, rest)); // the number was another file's
    case file_kind::pipe: return write_to_pipe(op, world, rest);
    case file_kind::anonymous: return write_to_counter(op, world);
    case file_kind::regular: op.positional = !is_positioned(op); return blocked(until::carrier);
    case file_kind::block:
    case file_kind::directory: return blocked(until::carrier);
    default: break;
    }
    return in_place_or_carrier(op, world);
}

} // namespace

outcome account_write(operation &op, surroundings &world, long result) {
    if (result == -EAGAIN) {
        world.hints.note_room(descriptor_of(op), 0);
        return blocked_unless_nonblocking(op, world, until::writable);
    }
    if (result < 0) return done_with(op, result);
    world.hints.use_room(descriptor_of(op), static_cast<std::uint64_t>(result));
    if (op.wanted == 0) op.wanted = size_of(op);
    note_moved(op, static_cast<std::uint64_t>(result));
    if (op.moved >= op.wanted || result == 0 || must_not_wait(op, world)) return done_with(op, 0);
    return blocked(until::writable);
}

outcome attempt_write(operation &op, surroundings &world) {
    const auto &a = op.made.a;
    if (op.made.number == SYS_write ? is_absurd(a[2]) : is_vector_call(op) && (a[2] < 0 || a[2] > IOV_MAX))
        return done(in_place(op)); // an error that a socket would call by another name
    const int descriptor = descriptor_of(op);
    if (is_positioned(op) || (op.made.number == SYS_pwritev2 && a[5] != 0)) {
        // Only what has positions can take it, and that may block; the rest is told so at once.
        file_identity file{};
        if (const long r = identify(descriptor, file); r < 0) return done_with(op, r);
        const bool refuses = file.kind == file_kind::socket || file.kind == file_kind::pipe;
        return refuses && is_positioned(op) ? done(in_place(op)) : blocked(until::carrier);
    }
    iovec single;
    const transfer rest = rest_of(op, single);
    if (moves_nothing(op)) return done(in_place(op)); // sendmsg(2) would make it an empty datagram
    const file_kind hint = world.hints.kind(descriptor);
    if (hint == file_kind::socket || hint == file_kind::unknown) {
        const long r = send_now(op, rest);
        if (r != -ENOTSOCK) {
            if (r != -EFAULT && r != -EBADF) world.hints.note_socket(descriptor);
            return account_write(op, world, r);
        }
    }
    return write_by_kind(op, world, rest);
}

} // namespace laio
