// Where the bytes of files come from. A read is prepared when it is asked for and made when its time has come, so that what the
// source itself takes passes within the time that the disk would take. Called by the loop's thread only.
#pragma once

#include "tree/tree.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace slowfs {

class source {
public:
    source() = default;
    source(const source &) = delete;
    source &operator=(const source &) = delete;
    virtual ~source() = default;

    // A handle, which read() or release() takes back; or -errno.
    virtual int prepare(node_number file, std::uint64_t offset, std::size_t bytes) = 0;
    // How many bytes were there, or -errno.
    virtual long read(int handle, node_number file, std::uint64_t offset, std::span<std::byte> out) = 0;
    virtual void release(int handle) = 0;
};

// Computed from the path: the bytes are nowhere.
std::unique_ptr<source> synthetic_source(const tree &files);

// Read from the folder. The kernel is told to bring the bytes in when they are asked for, and to forget them when they have
// been read: they are cached by who reads the slow disk, and should not be a second time. Throws std::system_error.
std::unique_ptr<source> folder_source(const tree &files, const std::string &folder);

} // namespace slowfs
