// The rows of the table. A case says what it reads and which ways make sense for it; it makes a subject for each.
#pragma once

#include "common/test_file.hpp"
#include "subject.hpp"

#include <memory>
#include <string>
#include <vector>

namespace laio::bench {

// A byte from a pipe, a TCP and a Unix socket: ready (with its write, and alone) and not ready.
std::vector<bench_case> byte_cases(promises &seen);

// 4 KB from a file in memory.
std::vector<bench_case> file_cases(const std::string &directory, promises &seen);

// Calls that cannot block, and calls that may and have no non-blocking form. `path` names a folder.
std::vector<bench_case> call_cases(const std::string &path, promises &seen);

// A turn of a loop: a byte that is waited for, and such a call beside it.
std::vector<bench_case> turn_cases(const std::string &path);

// 4 KB each from random places of a file that is not in memory, one and 32 at a time.
std::vector<bench_case> cold_cases(const std::string &directory, std::size_t megabytes, std::size_t reads);

// Adds what a LAIO way saw in calls that were ready: `waited` of `calls` went to the background, of which a share of up
// to `excused_share` is no fault of the library.
void count_ready(promises &seen, const std::string &where, std::uint64_t calls, std::uint64_t waited,
                 double excused_share);

} // namespace laio::bench
