// What is counted while a trace is played: for the load, and apart from it for the probe. Times of requests that failed are
// not among the times: they are counted by kind instead. Those that the end of the run found waiting are, as lower bounds.
// Plain data, filled by one thread.
#pragma once

#include "report/failure.hpp"
#include "report/histogram.hpp"
#include "report/timeline.hpp"

#include <array>
#include <cstdint>
#include <map>

namespace replay {

struct tally {
    std::uint64_t sequences = 0;   // that ended, with or without errors
    std::uint64_t requests = 0;    // that succeeded
    std::uint64_t connections = 0; // that were made
    std::uint64_t unfinished = 0;  // requests that were under way at the end of the run
    std::uint64_t censored = 0;    // these, and starts that were due: among the times with how long they had waited
    std::uint64_t body_bytes =
        0;                      // of 2xx responses, as they came: also of those that failed or were not over at the end
    std::uint64_t verified = 0; // bodies that were compared
    std::array<std::uint64_t, failure_names.size()> failures{};
    std::map<int, std::uint64_t> statuses;

    histogram response;   // from the intended start to the last byte
    histogram first_byte; // from there to the first
    histogram connect;    // also of who was still connecting at the end, so far
    histogram lag;        // open loop: from the intended start of a sequence to the real one, or to the end of the run
    timeline flow;

    std::uint64_t errors() const {
        std::uint64_t sum = 0;
        for (const auto count : failures) sum += count;
        return sum;
    }
};

} // namespace replay
