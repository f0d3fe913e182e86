// read, pread64, readv, preadv, preadv2: preadv2(2) with RWF_NOWAIT.
//
// Of a regular file a read is complete when it has all that was asked for or the file ended; of anything else when it
// has something. RWF_NOWAIT is refused by many kinds of file (tmpfs, FUSE, procfs, terminals; pipes before Linux 6.4),
// so for sockets and pipes there is a second way, and what can only block goes to a carrier.
#include "calls/attempts/forms.hpp"
#include "calls/attempts/nonblocking_twin.hpp"
#include "calls/transfer.hpp"

#include <climits>
#include <fcntl.h>

namespace laio {
namespace {

bool is_refusal(long result) { return result == -EOPNOTSUPP || result == -EPERM || result == -ENOSYS; }

bool is_disk(file_kind kind) { return kind == file_kind::regular || kind == file_kind::block; }

// Errors that a plain call finds before it could block, where preadv2 would find others; and what asks not to wait.
bool is_for_the_plain_call(const operation &op) {
    const auto &a = op.made.a;
    if (is_vector_call(op) && (a[2] < 0 || a[2] > IOV_MAX)) return true;
    switch (op.made.number) {
    case SYS_pread64: return is_absurd(a[2]) || a[3] < 0;
    case SYS_preadv: return a[3] < 0;
    case SYS_preadv2: return a[3] < -1 || (a[5] & RWF_NOWAIT) != 0;
    case SYS_read: return is_absurd(a[2]);
    default: return false;
    }
}

// read(2) without a length. Some files have something to say to it all the same, and some even wait.
outcome read_nothing(const operation &op, const surroundings &world) {
    file_identity file{};
    if (const long r = identify(descriptor_of(op), file); r < 0) return done(r);
    switch (file.kind) {
    case file_kind::socket:
    case file_kind::pipe:
    case file_kind::directory: return done(in_place(op));
    case file_kind::regular:
    case file_kind::block: return done(system_call(SYS_readv, op.made.a[0], 0, 0)); // the file is not asked
    default: return in_place_or_carrier(op, world);
    }
}

// Without RWF_NOWAIT: what the descriptor is decides.
outcome read_otherwise(operation &op, surroundings &world, const file_identity &file) {
    world.hints.note(descriptor_of(op), file.kind, true);
    iovec single;
    const transfer rest = rest_of(op, single);
    const bool has_no_positions = file.kind == file_kind::socket || file.kind == file_kind::pipe;
    if (rest.offset >= 0 && has_no_positions) return done(in_place(op)); // an error
    if (moves_nothing(op)) return done(in_place(op));                    // likewise, or nothing to do
    if (rest.flags != 0 && !is_disk(file.kind))                          // no other call has flags
        return in_place_or_carrier(op, world);
    switch (file.kind) {
    case file_kind::socket: {
        msghdr header{};
        header.msg_iov = const_cast<iovec *>(rest.vector);
        header.msg_iovlen = static_cast<std::size_t>(rest.count);
        const long r = system_call(SYS_recvmsg, op.made.a[0], word(&header), MSG_DONTWAIT);
        return account_receive(op, world, r);
    }
    case file_kind::pipe: {
        const long twin = open_nonblocking_twin(descriptor_of(op), O_RDONLY);
        if (twin == -EBADF) return done_with(op, twin);
        if (twin < 0) break;
        const long r = system_call(SYS_readv, twin, word(rest.vector), rest.count);
        system_call(SYS_close, twin);
        return account_read(op, world, r);
    }
    case file_kind::regular:
    case file_kind::block: op.positional = rest.offset < 0; return blocked(until::carrier);
    case file_kind::directory: return done(in_place(op)); // an error
    default: break;
    }
    if (must_not_wait(op, world)) return done_with(op, in_place(op));
    return once_readable(op);
}

outcome from_disk(operation &op) {
    iovec single;
    op.positional = rest_of(op, single).offset < 0;
    return blocked(until::ring);
}

// It would block: for what? O_NONBLOCK means nothing to a disk.
outcome read_later(operation &op, surroundings &world) {
    const int descriptor = descriptor_of(op);
    const file_kind hint = world.hints.kind(descriptor);
    if (hint == file_kind::unknown || is_disk(hint)) {
        file_identity file{};
        if (const long r = identify(descriptor, file); r < 0) return done_with(op, r);
        world.hints.note(descriptor, file.kind);
        if (is_disk(file.kind)) return from_disk(op);
    }
    return blocked_unless_nonblocking(op, world, until::readable);
}

} // namespace

outcome account_read(operation &op, surroundings &world, long result) {
    const int descriptor = descriptor_of(op);
    if (result == -EAGAIN) return read_later(op, world);
    if (result <= 0) return done_with(op, result);
    const long moved = static_cast<long>(op.moved) + result;
    if (static_cast<std::uint64_t>(moved) >= size_of(op)) return done(moved);

    // Short. The cheap question first; each answer proves itself.
    const descriptor_hint hint = world.hints.of(descriptor);
    if (hint.kind == file_kind::pipe && system_call(SYS_fcntl, descriptor, F_GETPIPE_SZ) > 0) return done(moved);
    file_identity file{};
    if (identify(descriptor, file) < 0) return done(moved);
    world.hints.note(descriptor, file.kind, hint.refuses);
    if (file.kind == file_kind::socket) return account_receive(op, world, result);
    if (!is_disk(file.kind)) return done(moved);
    note_moved(op, static_cast<std::uint64_t>(result));
    return from_disk(op);
}

outcome attempt_read(operation &op, surroundings &world) {
    if (is_for_the_plain_call(op)) return done(in_place(op));
    if (op.made.number == SYS_read && op.made.a[2] == 0) return read_nothing(op, world);
    const int descriptor = descriptor_of(op);
    const descriptor_hint hint = world.hints.of(descriptor);
    if (hint.kind == file_kind::socket && op.made.number == SYS_read && op.made.a[2] > 0) {
        iovec single;
        rest_of(op, single);
        const long r = system_call(SYS_recvfrom, descriptor, word(single.iov_base), static_cast<long>(single.iov_len),
                                   MSG_DONTWAIT);
        if (r != -ENOTSOCK) return account_receive(op, world, r);
        world.hints.forget(descriptor);
    }
    file_identity file{};
    if (!world.has.nowait || hint.refuses) {
        if (const long r = identify(descriptor, file); r < 0) return done_with(op, r);
        if (!world.has.nowait || world.no_nowait.has(file)) return read_otherwise(op, world, file);
        world.hints.forget(descriptor); // the number means another file now
    }
    for (;;) {
        iovec single;
        const transfer rest = rest_of(op, single);
        const long r = system_call(SYS_preadv2, op.made.a[0], word(rest.vector), rest.count, rest.offset,
                                   rest.offset >> 63, rest.flags | RWF_NOWAIT);
        const bool all = rest.vector == &single && r == static_cast<long>(single.iov_len);
        if (all) return done(static_cast<long>(op.moved) + r); // before any bookkeeping: this is the fast path
        if (is_refusal(r) || r == -EINVAL) {
            if (const long error = identify(descriptor, file); error < 0) return done_with(op, error);
            if (r == -EINVAL && !is_disk(file.kind)) return done_with(op, r); // of this call, as the plain one says
            if (r == -EINVAL || (r == -EOPNOTSUPP && rest.flags != 0)) {      // perhaps: a carrier will see
                op.positional = is_disk(file.kind) && rest.offset < 0;
                return blocked(until::carrier);
            }
            if (r == -EPERM || r == -ENOSYS) world.has.nowait = false; // a filter, an old kernel: nothing has it
            world.no_nowait.add(file);
            return read_otherwise(op, world, file);
        }
        const outcome next = account_read(op, world, r);
        // a short read of a file: at its end, or before what is not in memory; the next step will tell
        if (r <= 0 || next.waits_for != until::ring || capture(op) != 0) return next;
    }
}

} // namespace laio
