// Which sequence of a trace starts next, and when. Closed loop: as soon as a client is free. Open loop: at a rate, evenly or
// as a Poisson process, or at the times that stand in the trace. A start does not depend on how those before it fared, so
// what is measured from it leaves no waiting out. Deterministic by seed. Pure.
#pragma once

#include "trace/trace.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>

namespace replay {

enum class pace { closed_loop, even, poisson, as_traced };

struct schedule_options {
    pace kind = pace::closed_loop;
    double per_second = 0;    // sequences: even, poisson
    double speed = 1;         // of the trace's own times
    std::uint64_t rounds = 1; // how often the trace is played; 0: without end. 1 where the times are the trace's
    std::uint64_t seed = 1;
};

class schedule {
public:
    // `of` outlives it, and has a sequence; every one has a start if the times are its own.
    schedule(const trace &of, const schedule_options &options);

    bool over() const { return round_ == options_.rounds && options_.rounds != 0; }
    bool open_loop() const { return options_.kind != pace::closed_loop; }
    // Since the start of the run, 126 years at most; 0 in a closed loop. The trace's own times need not be in order: a start that lies before
    // one that was taken is due with it. For one that is not over.
    std::chrono::nanoseconds due() const { return due_; }
    sequence take();
    std::uint64_t sequences() const; // 0: without end, or more than 64 bits can count

private:
    void find_due();

    const trace &trace_;
    schedule_options options_;
    std::size_t next_ = 0;
    std::uint64_t round_ = 0, taken_ = 0;
    std::chrono::nanoseconds due_{0};
    std::mt19937_64 random_;
};

} // namespace replay
