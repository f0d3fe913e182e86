// What the file system counted. Plain numbers; the loop's thread only.
#pragma once

#include "cost.hpp"
#include "disk/disk.hpp"
#include "disk_clock.hpp"
#include "timetable.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

namespace slowfs {

struct operation_counts {
    std::uint64_t requests = 0;
    std::uint64_t errors = 0; // answered with one
    std::uint64_t bytes = 0;
    nanoseconds together{0}; // from coming to due, in the disk's time
    nanoseconds longest{0};
};

// By how much answers were later than due, in real time: what this program and the machine add to the disk that is wanted.
struct lateness {
    std::uint64_t answers = 0;
    double together_s = 0;
    double longest_s = 0;

    void count(double seconds) {
        ++answers;
        together_s += seconds;
        longest_s = std::max(longest_s, seconds);
    }
};

struct statistics {
    std::array<operation_counts, operations> by_operation{};
    lateness late;
};

struct report_context {
    std::string_view model;
    std::uint64_t files_bytes = 0; // that are laid out on the disk
    std::uint64_t span_bytes = 0;
    std::uint64_t nodes = 0;
    std::uint64_t number = 0; // of reports before
};

// JSON, in lines.
std::string report(const report_context &about, const statistics &counted, const timetable &waiting, const disk &below,
                   const disk_clock &clock);

} // namespace slowfs
