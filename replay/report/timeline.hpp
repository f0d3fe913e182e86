// How many requests ended and how many bytes came in which part of a run whose length nobody knows beforehand: what its
// middle 80 % were can be told only at the end. Slots of equal length, a millisecond at first; when all 4096 are used up,
// each two become one, so the memory is fixed, and an edge that falls into a slot is wrong by at most that slot: a
// millisecond in runs of up to four seconds, a two-thousandth of longer ones. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace replay {

struct flow {
    double requests = 0, bytes = 0;
};

class timeline {
public:
    using duration = std::chrono::nanoseconds;

    timeline();

    void add(duration since_start, std::uint64_t requests, std::uint64_t bytes);
    // What came between two times since the start; a slot that the edge divides counts by its share.
    flow between(duration from, duration to) const;

private:
    struct slot {
        std::uint64_t requests = 0, bytes = 0;
    };
    void coarsen();

    std::vector<slot> slots_;
    duration slot_length_;
};

} // namespace replay
