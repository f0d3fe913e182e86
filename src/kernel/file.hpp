// What a descriptor refers to, asked in ways that never wait: no lock that a reader may hold, no request to a server.
#pragma once

#include <cstdint>

namespace laio {

enum class file_kind : std::uint8_t { unknown, socket, pipe, regular, directory, block, character, link, anonymous };

struct file_identity {
    file_kind kind;
    std::uint32_t links;
    std::uint32_t device_major;
    std::uint32_t device_minor;
};

// Which file it is, however often it is opened. All zero: none.
struct file_key {
    std::uint64_t device;
    std::uint64_t inode;
    std::uint64_t born_ns; // inode numbers are used again at once; 0 where unknown; a tick (some ms) is one time

    [[nodiscard]] bool is_known() const { return device != 0 || inode != 0; }
    friend bool operator==(const file_key &, const file_key &) = default;
};

struct file_extent {
    file_key key;
    file_kind kind;
    std::uint64_t size;
    bool has_holes; // or is compressed: it takes less room than its size; or its bytes are memory themselves (DAX)
};

// 0 or -EBADF and the like. By statx(2) with AT_STATX_DONT_SYNC, which network and FUSE file systems answer from memory.
long identify(int descriptor, file_identity &identity);
long recognize(int descriptor, file_key &key);
long measure(int descriptor, file_extent &extent);

// Status flags (F_GETFL), or -EBADF.
long status_flags(int descriptor);
bool is_nonblocking(int descriptor);

// Whether poll(2) for `events` (POLLIN, POLLOUT) has something to say now.
bool is_ready(int descriptor, short events);

// A socket option of type int; the errno (-ENOTSOCK, -EBADF, ...) or 0.
long socket_option(int descriptor, int name, int &value);

// SO_RCVTIMEO or SO_SNDTIMEO in nanoseconds; 0: none, or not a socket.
std::int64_t socket_timeout_ns(int descriptor, int name);

} // namespace laio
