// What a file in another format had that a trace cannot hold or a client should not repeat: counted, and told to the user.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace replay {

struct left_out {
    std::uint64_t other_methods = 0;  // requests that are not GET
    std::uint64_t other_statuses = 0; // requests answered with neither 2xx nor 304
    std::uint64_t bodies = 0;         // contents of a GET, which is kept
    std::uint64_t think_times = 0;    // of bursts, which are kept
    std::uint64_t broken_lines = 0;
    std::size_t first_broken_line = 0; // its number
    std::uint64_t starts = 0;          // times at which sequences start, where the format written has none

    void add_broken_line(std::size_t number);

    // A phrase for each that is not zero.
    std::vector<std::string> phrases() const;
};

} // namespace replay
