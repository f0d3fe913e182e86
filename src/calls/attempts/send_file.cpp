// sendfile, splice: the disk may keep them waiting, which nobody can know beforehand, and the socket they send to, which can
// be asked. So they wait until the socket can be written to, and then move no more than it has room for, where they may
// block: ten thousand slow receivers hold no carrier, only the disk does.
//
// Half of the room that a socket has left was never seen to block; what it counts is memory, not bytes (SO_MEMINFO:
// sock_diag(7)). Lost: SIOCOUTQ, which counts bytes, and blocked nearly always.
#include "calls/attempts/forms.hpp"
#include "calls/transfer.hpp"
#include "kernel/readable.hpp"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <sys/socket.h>

namespace laio {
namespace {

struct direction {
    int from;
    int to;
    long length;
    long flags;
};

direction direction_of(const operation &op) {
    const auto &a = op.made.a;
    if (op.made.number == SYS_sendfile) return {static_cast<int>(a[1]), static_cast<int>(a[0]), a[3], 0};
    return {static_cast<int>(a[0]), static_cast<int>(a[2]), a[4], a[5]};
}

struct room {
    long bytes;    // what a blocking send of that many would not have to wait for, or a negative errno: it is no socket
    bool is_empty; // next to nothing is queued, so that it need not be asked whether it can be written to
    bool is_crowded;
    long until_crowded; // bytes
};

// What is queued from where on a step is one of a crowd: engines/crowd.hpp.
constexpr std::uint32_t much = 65536;

// A socket that is not connected yet seems empty; there the call is left behind.
room room_of(int socket) {
    std::uint32_t memory[SK_MEMINFO_VARS]{};
    std::uint32_t size = sizeof memory;
    const long r = system_call(SYS_getsockopt, socket, SOL_SOCKET, SO_MEMINFO, word(memory), word(&size));
    if (r < 0) return {r, false, false, 0};
    constexpr std::uint32_t next_to_nothing = 8192; // the head of a response
    const std::uint32_t taken = std::max(memory[SK_MEMINFO_WMEM_QUEUED], memory[SK_MEMINFO_WMEM_ALLOC]);
    if (memory[SK_MEMINFO_SNDBUF] <= taken) return {0, false, true, 0};
    return {(memory[SK_MEMINFO_SNDBUF] - taken) / 2, taken <= next_to_nothing, taken > much,
            taken < much ? much - taken : 0};
}

// What may go after this call before the socket is asked again: all that can be added to its queue until then goes through us,
// but for what others send. Never so much that a step of a crowd is not known for one.
constexpr std::uint64_t beside = 4096; // what the kernel needs to keep a head and a part of a file
std::uint32_t room_after(const room &here, std::uint64_t bytes) {
    const auto most = static_cast<std::uint64_t>(std::min(here.bytes, here.until_crowded));
    return most > bytes + beside ? static_cast<std::uint32_t>(most - bytes - beside) : 0;
}

outcome wait_for(operation &op, int descriptor, until what) {
    op.descriptor = descriptor;
    return found_nothing(op, what);
}

// Where the step begins in the file; -1: nobody can say.
long offset_of(const operation &op) {
    const auto *given = pointer<const char>(op.made.a[2]);
    if (!is_readable(given, sizeof(long))) return -1;
    long offset = 0;
    std::memcpy(&offset, given, sizeof offset); // the kernel takes one at any address
    return offset;
}

// A step is made in place, unless it is known that it would block there: a carrier takes less time than to be left behind.
outcome step_of_file(operation &op, surroundings &world, int file) {
    const long offset = op.looks && may_look(op) ? offset_of(op) : -1;
    file_extent extent{};
    if (offset < 0) return is_source_gone(op) ? done_with(op, -EBADF) : blocked(until::carrier);
    if (measure(file, extent) < 0) return blocked(until::carrier);
    if (op.source.is_known() && op.source != extent.key) return done_with(op, -EBADF); // the number was used again
    op.source = extent.key;
    op.looked = true;
    op.absent = residency_of(file, extent, offset, op.step, world.has, world.counts) == residency::absent;
    return blocked(until::carrier);
}

} // namespace

bool may_look(const operation &op) { return op.made.number == SYS_sendfile && op.made.a[2] != 0 && op.step > 0; }

outcome attempt_send_file(operation &op, surroundings &world) {
    const auto [from, to, length, flags] = direction_of(op);
    op.step = 0;
    op.looked = op.absent = false;
    op.wanted = length > 0 ? std::min(static_cast<std::uint64_t>(length), transfer_max) : 0;
    if (op.moved == 0 && (length <= 0 || (flags & SPLICE_F_NONBLOCK) != 0)) {
        world.hints.note_room(to, 0);
        return blocked(until::carrier);
    }
    if (world.kind_of(to) != file_kind::socket) return blocked(until::carrier);
    if (op.now == state::free && world.is_nonblocking(to)) return blocked(until::carrier);
    if (world.remembers_room && op.moved == 0 && op.made.number == SYS_sendfile &&
        world.hints.take_room(to, op.wanted + beside)) {
        op.step = op.wanted;
        op.crowded = false;
        return step_of_file(op, world, from);
    }
    const int socket = op.own_descriptor >= 0 && op.made.number == SYS_sendfile ? op.own_descriptor : to;
    const room here = room_of(socket);
    if (here.bytes < 0) return blocked(until::carrier); // it was a socket once
    if (!here.is_empty && !is_ready(socket, POLLOUT)) {
        world.hints.note_room(to, 0);
        return wait_for(op, to, until::writable);
    }
    if (op.made.number == SYS_splice && world.kind_of(from) == file_kind::pipe && !is_ready(from, POLLIN))
        return wait_for(op, from, until::readable);
    op.crowded = here.is_crowded;
    if (world.remembers_room) world.hints.note_room(to, room_after(here, op.wanted - op.moved));
    op.step = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(here.bytes), 1, op.wanted - op.moved);
    return step_of_file(op, world, from);
}

outcome account_send_file(operation &op, surroundings &world, long result) {
    if (result <= 0) return done_with(op, result);
    if (op.wanted == 0) op.wanted = std::min(static_cast<std::uint64_t>(direction_of(op).length), transfer_max);
    op.moved += static_cast<std::uint64_t>(result);
    if (op.moved >= op.wanted || op.made.number == SYS_splice) return done_with(op, 0);
    return attempt_send_file(op, world);
}

} // namespace laio
