// What the servers ask of a disk strategy; each stands in a file of its own beside this one. Names are beneath the root.
// Every function begins one thing for a task. Its outcome is a value, or -1 and the error; if it is in the background, the
// task is told later, and what was given by reference belongs to the strategy until then.
#pragma once

#include "task.hpp"

#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace httpd {

struct opened_file {
    int descriptor = -1; // once it is there the caller closes it, also where opening failed after it
    struct stat status {};
};

class disk {
public:
    disk() = default;
    disk(const disk &) = delete;
    disk &operator=(const disk &) = delete;
    virtual ~disk() = default;

    // stat(2). What it finds need not be beneath the root, if a symbolic link leads out of it; open() looks there.
    virtual outcome status(task &who, const char *name, struct stat &status) = 0;
    // Opens a file for reading, and its status. The kernel keeps the walk beneath the root, symbolic links and ".."
    // included (EXDEV), also while others rename; EAGAIN: it could not be sure, ask again. Never waits for the other end
    // of a FIFO; a regular file is in blocking mode afterwards.
    virtual outcome open(task &who, const char *name, opened_file &file) = 0;
    // Before sendfile(2) of these bytes: makes sure, as far as that goes, that it finds them in memory. The value is the
    // number of bytes from `offset` on that may now be sent, at least 1.
    virtual outcome bring_in(task &who, int file, off_t offset, std::uint64_t length) = 0;
    // The same for bytes of a mapped file.
    virtual outcome bring_in(task &who, const void *address, std::size_t length) = 0;
    virtual outcome close(task &who, int file) = 0;
};

} // namespace httpd
