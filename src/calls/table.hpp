// The table of calls: what laio does for each Linux system call, one row a call.
//
// rows.def says, by name, what a call needs; numbers/*.def say which number it has on an architecture. The table joins
// them at compile time, so that a row is written once. Constant data, read by every thread.
// Lost: numbers from the system's headers. The calls that a library knows would then depend on where it was built.
#pragma once

#include <cstddef>
#include <cstdint>

namespace laio {

// In the order of enum laio_route in <laio/laio.h>.
enum class route : std::uint8_t { direct, attempt, activation, home, queued };

// How a call is made without blocking. Each is one function in calls/attempts/.
enum class form : std::uint8_t {
    none,
    read,         // preadv2 with RWF_NOWAIT
    write,        // pwritev2 with RWF_NOWAIT, never for a regular file
    receive,      // MSG_DONTWAIT: recvfrom, recvmsg
    send,         // MSG_DONTWAIT: sendto, sendmsg
    receive_many, // MSG_DONTWAIT: recvmmsg
    send_many,    // MSG_DONTWAIT: sendmmsg
    accept,       // at once where the ring can; else when the listener is ready, on a carrier
    connect,      // likewise
    open,         // openat2 with RESOLVE_CACHED
    status,       // fstat of a file that the kernel answers from memory
    close,        // of what was seen to need nothing written, waited for or truncated
    lock,         // LOCK_NB: flock
    control,      // fcntl: F_SETLK for F_SETLKW; all other commands are direct calls
    wait,         // WNOHANG: wait4, waitid
    sleep,        // a timer: nanosleep, clock_nanosleep
    poll,         // zero time-out: poll, ppoll, select, pselect6
    events,       // zero time-out: epoll_wait, epoll_pwait, epoll_pwait2
    random,       // GRND_NONBLOCK
    message,      // IPC_NOWAIT or a time-out that is over: msgsnd, msgrcv, semop, semtimedop, mq_timed*
    futex,        // FUTEX_WAIT with a time-out that is over; what cannot wait in place
    send_file,    // sendfile, splice: to a socket when it has room, and no more than that
    pipe_copy,    // SPLICE_F_NONBLOCK: tee, vmsplice
    option,       // setsockopt: a direct call, and what was remembered of the socket is forgotten
};

// The operation of io_uring that does the same.
enum class ring_operation : std::uint8_t {
    none,
    read,
    write,
    receive,
    send,
    accept,
    connect,
    open,
    close,
    statx,
    sync,
    allocate,
    advise,
    splice,
    tee,
    shutdown,
    rename,
    unlink,
    make_directory,
    symlink,
    link,
    poll,
    timeout,
    getxattr,
    setxattr,
    truncate,
    wait,
    pipe,
    socket,
    bind,
    listen,
    futex
};

// One character an argument, in rows.def and here:
//   f descriptor          d directory descriptor (AT_FDCWD allowed)     p path        - plain value
//   i memory read         o memory written      b memory read and written
//   v array of iovec      m msghdr              t timespec or timeval
using signature = char[7];

struct row {
    const char *name; // nullptr: no call has this number
    route way;
    form attempt;
    ring_operation ring;
    signature arguments;
    std::int8_t descriptor = -1; // position of the first f in arguments
    bool copies = false;         // there is a v, m or t in arguments
    bool simple = false;         // there is none, no f behind the first argument, and it replaces nothing
    bool opens = false;          // its result is a new descriptor
    bool replaces = false;       // closes, on its way, descriptors that others may have used

    // Index of the argument whose descriptor the call works on, -1: none.
    [[nodiscard]] int descriptor_argument() const { return descriptor; }
};

// The rows by their number on this architecture; those without a name stand for no call. Declared here so that finding
// one, which every call does, is two comparisons in place.
constexpr std::size_t table_capacity = 512;
struct row_table {
    row rows[table_capacity];
};
[[gnu::visibility("hidden")]] extern const row_table call_table;

inline const row *find_row_in(const row_table &in, long number) {
    const auto index = static_cast<unsigned long>(number);
    return index < table_capacity && in.rows[index].name != nullptr ? &in.rows[index] : nullptr;
}

// The row of a call by its number on this architecture; nullptr where no call is known.
inline const row *find_row(long number) { return find_row_in(call_table, number); }

// One more than the highest number in the table.
std::size_t table_size();

// The other architecture's numbers, for laio-probe: "x86_64" or "aarch64", nullptr if that is not known.
struct numbering {
    const char *architecture;
    const row *(*find)(long number);
    std::size_t size;
};
const numbering *find_numbering(const char *architecture);

const char *name_of(route);
const char *name_of(form);
const char *name_of(ring_operation);

} // namespace laio
