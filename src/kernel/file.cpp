#include "kernel/file.hpp"

#include "kernel/system_call.hpp"

#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>

namespace laio {
namespace {

file_kind kind_of_mode(unsigned mode) {
    switch (mode & S_IFMT) {
    case S_IFSOCK: return file_kind::socket;
    case S_IFIFO: return file_kind::pipe;
    case S_IFREG: return file_kind::regular;
    case S_IFDIR: return file_kind::directory;
    case S_IFBLK: return file_kind::block;
    case S_IFCHR: return file_kind::character;
    case S_IFLNK: return file_kind::link;
    default: return file_kind::anonymous; // eventfd, epoll, timerfd, ...: inodes without a type
    }
}

constexpr unsigned key_mask = STATX_INO | STATX_BTIME;

file_key key_of(const struct statx &status) {
    constexpr std::uint64_t second_ns = 1'000'000'000;
    const bool is_dated = (status.stx_mask & STATX_BTIME) != 0;
    const std::uint64_t born_ns =
        static_cast<std::uint64_t>(status.stx_btime.tv_sec) * second_ns + status.stx_btime.tv_nsec;
    return {std::uint64_t{status.stx_dev_major} << 32 | status.stx_dev_minor, status.stx_ino, is_dated ? born_ns : 0};
}

long ask(int descriptor, unsigned mask, struct statx &status) {
    if (descriptor < 0) return -EBADF; // AT_FDCWD would be the working directory
    constexpr int flags = AT_EMPTY_PATH | AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT;
    return system_call(SYS_statx, descriptor, word(""), flags, mask, word(&status));
}

} // namespace

long identify(int descriptor, file_identity &identity) {
    struct statx status {};
    if (const long r = ask(descriptor, STATX_TYPE | STATX_NLINK, status); r < 0) return r;
    identity = {kind_of_mode(status.stx_mode), status.stx_nlink, status.stx_dev_major, status.stx_dev_minor};
    return 0;
}

// Its size is not asked for: some network file systems would first wait for what is being written.
long recognize(int descriptor, file_key &key) {
    struct statx status {};
    if (const long r = ask(descriptor, key_mask, status); r < 0) return r;
    key = key_of(status);
    return 0;
}

long measure(int descriptor, file_extent &extent) {
    struct statx status {};
    if (const long r = ask(descriptor, key_mask | STATX_TYPE | STATX_SIZE | STATX_BLOCKS, status); r < 0) return r;
    constexpr unsigned block_bytes = 512;
    const bool is_dax = (status.stx_attributes & STATX_ATTR_DAX) != 0;
    extent = {key_of(status), kind_of_mode(status.stx_mode), status.stx_size,
              is_dax || status.stx_blocks < status.stx_size / block_bytes};
    return 0;
}

long status_flags(int descriptor) { return system_call(SYS_fcntl, descriptor, F_GETFL); }

bool is_nonblocking(int descriptor) {
    const long flags = status_flags(descriptor);
    return flags >= 0 && (flags & O_NONBLOCK) != 0;
}

bool is_ready(int descriptor, short events) {
    pollfd one{descriptor, events, 0};
    const timespec now{};
    return system_call(SYS_ppoll, word(&one), 1, word(&now), 0, 0) == 1;
}

long socket_option(int descriptor, int name, int &value) {
    socklen_t length = sizeof value;
    return system_call(SYS_getsockopt, descriptor, SOL_SOCKET, name, word(&value), word(&length));
}

std::int64_t socket_timeout_ns(int descriptor, int name) {
    timeval time{};
    socklen_t length = sizeof time;
    if (system_call(SYS_getsockopt, descriptor, SOL_SOCKET, name, word(&time), word(&length)) < 0) return 0;
    return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::int64_t>(time.tv_usec) * 1'000;
}

} // namespace laio
