// What the tests tell the server of slow files, and what it tells them: a block of memory that both processes share.
// tests/end_to_end/slow_files.py has the same layout, and reads the names of the operations from here.
//
// The test makes it (a memfd), the server maps it; whoever ends first leaves it to the other. Every field is an atomic word of
// its own: there is no lock that a stopped server could hold.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace laio::test {

// As the kernel asks for them. `getattr` is also what the server is asked for each part of a path.
enum class file_operation : std::uint8_t {
    getattr,
    access,
    readlink,
    mknod,
    mkdir,
    unlink,
    rmdir,
    symlink,
    rename,
    link,
    chmod,
    chown,
    truncate,
    utimens,
    open,
    create,
    read,
    write,
    statfs,
    flush, // close(2) of a descriptor
    fsync,
    setxattr,
    getxattr,
    listxattr,
    removexattr,
    opendir,
    readdir,
    fsyncdir,
    lock,  // fcntl(2)
    flock, // flock(2)
    ioctl,
    fallocate,
    copy_file_range,
    lseek,
    count
};
inline constexpr std::size_t file_operations = static_cast<std::size_t>(file_operation::count);
constexpr std::size_t index_of(file_operation what) { return static_cast<std::size_t>(what); }

struct control {
    std::array<std::atomic<std::uint32_t>, file_operations> takes_ms;
    std::array<std::atomic<std::uint32_t>, file_operations> calls;      // that have arrived
    std::atomic<std::uint32_t> is_frozen;                               // no answers until it is not
    std::atomic<std::uint32_t> is_deaf;                                 // goes on although the caller was interrupted
    std::atomic<std::uint32_t> waiting;                                 // calls that have arrived and are not answered
    std::atomic<std::uint32_t> interrupted;                             // calls whose caller was, while they waited
    std::atomic<std::int32_t> server;                                   // its process
    std::array<std::atomic<std::uint32_t>, file_operations> fails_with; // an errno, after its time; 0: it does not
    std::atomic<std::uint32_t> is_cached;                               // told before the mount; see pass_through.cpp
};
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

} // namespace laio::test
