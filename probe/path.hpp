// What the file system of a path makes of the non-blocking forms. Nothing that was there is written to: in a directory
// a file without a name is tried; where none can be made, and for a file, only what can be asked by reading is asked.
#pragma once

#include "machine.hpp"
#include "verdict.hpp"

#include <string>

namespace probe {

struct path_report {
    std::string path;
    int error = 0;           // errno: it cannot be looked at
    std::string kind;        // regular file, directory, ...
    std::string file_system; // ext4; empty where /proc/self/mountinfo does not say
    std::string mount_point;
    bool is_local = false; // laio trusts it to answer questions about files in memory
    verdict read;          // preadv2 with RWF_NOWAIT
    verdict open;          // openat2 with RESOLVE_CACHED
    verdict write;         // pwritev2 with RWF_NOWAIT
};

path_report examine_path(const std::string &path, const machine &here);

} // namespace probe
