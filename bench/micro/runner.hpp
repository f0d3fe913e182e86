// Runs one case in all its ways and keeps a sample per way and round. A round runs every way once, in a shuffled order:
// what disturbs the machine for seconds then meets all ways alike, and what one way leaves behind (a ring that the
// kernel tears down later) meets no other way in particular. Google Benchmark runs and reports each batch; the clock is
// read around the batch and not around each operation.
#pragma once

#include "subject.hpp"
#include "way.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace laio::bench {

struct run_settings {
    std::size_t rounds = 50;
    std::size_t rounds_rare = 15; // for cases that take long
    std::size_t iterations = 2000;
    std::size_t iterations_slow = 500; // for ways that hand every call to a thread
    std::uint64_t seed = 1;            // of the order
};

struct measured_case {
    std::string key;
    std::string title;
    bench::table table = bench::table::inputs;
    bool waits = false;
    std::string skipped;                            // why the case could not be run, or empty
    std::map<way, std::string> skipped_ways;        // likewise for a way
    std::map<way, std::vector<double>> nanoseconds; // per operation, one per round: the same length for all ways
};

measured_case measure(const bench_case &measured, const run_settings &settings);

} // namespace laio::bench
