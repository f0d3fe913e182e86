// Which mounted file systems answer questions about a file that is in memory without asking anybody: the ones on this
// machine's own disks and memory, as against network and FUSE file systems, where even fstat(2) may wait for a server.
//
// Read from /proc/self/mountinfo when a device is met for the first time, and kept, bounded, per loop. The number of a
// file system that is unmounted can come to be another one's within the loop's life, which is judged as the first one
// then. A device that is not listed (a btrfs subvolume, what the kernel made for itself) is not known to be local.
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

// Looks through the text of a mountinfo file (proc(5)): the first line for the device says it. A line that is not
// complete, or not as it should be, says nothing.
bool mountinfo_says_local(const char *text, std::size_t length, std::uint32_t device_major, std::uint32_t device_minor);

} // namespace laio
