// Which mounted file systems answer questions about a file that is in memory without asking anybody: the ones on this
// machine's own disks and memory, as against network and FUSE file systems, where even fstat(2) may wait for a server.
//
// Read from /proc/self/mountinfo when a device is met for the first time, and kept, bounded, per loop. A device that is
// not listed (a btrfs subvolume, a file system made by the kernel for itself) is not known to be local.
// Lost: statfs(2), which waits for the server that we are afraid of.
#pragma once

#include <cstddef>
#include <cstdint>

namespace laio {

class file_systems {
public:
    [[nodiscard]] bool is_local(std::uint32_t device_major, std::uint32_t device_minor);

private:
    struct known {
        std::uint32_t device_major;
        std::uint32_t device_minor;
        bool local;
    };
    static constexpr std::size_t capacity = 16;
    known known_[capacity]{};
    std::size_t count_ = 0;
    std::size_t oldest_ = 0;
};

// Looks through the text of a mountinfo file (proc(5)), which ends with a NUL after `length` characters.
bool mountinfo_says_local(const char *text, std::size_t length, std::uint32_t device_major, std::uint32_t device_minor);

} // namespace laio
