// One way of doing one case: what the runner times. A batch is open(), then for the warm-up and for the timed part
// prepare(n) and run(n), then close(); only the second run(n) is timed. A subject verifies every result it reads; how
// many calls LAIO did not answer as it promises is summed up in `promises`.
#pragma once

#include "way.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace laio::bench {

class subject {
public:
    subject() = default;
    subject(const subject &) = delete;
    subject &operator=(const subject &) = delete;
    virtual ~subject() = default;

    virtual void open() = 0;
    virtual void prepare(std::size_t operations) = 0;
    virtual void run(std::size_t operations) = 0;
    virtual void close() = 0;
};

// What was seen of LAIO's promise: a call that need not wait returns at once, one that must wait says EINPROGRESS.
struct promises {
    std::uint64_t ready = 0;         // calls whose data was there
    std::uint64_t ready_waited = 0;  // of these, broken: went to the background
    std::uint64_t ready_excused = 0; // of these, not broken: the network had not delivered yet
    std::uint64_t not_ready = 0;     // calls that had to wait, each of which said EINPROGRESS
    std::vector<std::string> where;  // the cases and ways where it was broken
};

// The report prints one table of inputs and one of calls: they have few columns in common.
enum class table { inputs, calls };

struct bench_case {
    std::string key;
    std::string title;
    bench::table table = bench::table::inputs;
    std::vector<way> ways;                                               // columns that make sense here
    std::function<std::unique_ptr<subject>(way)> make;                   // called once per way, before the first round
    std::function<std::string()> why_not = [] { return std::string(); }; // empty, or why the case is skipped
    std::size_t operations = 0;                                          // in a batch; 0: as the settings say
    std::size_t operations_max = 0;                                      // 0: any
    bool waits = false;                                                  // nothing is there yet when the call is made
    bool rare = false;                                                   // fewer rounds: each takes long
};

} // namespace laio::bench
