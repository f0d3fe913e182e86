// What a thread used of its CPU over time: readings of counters that only grow, taken now and then, so that the middle of a
// run can be judged apart from its edges, though nobody knew how long it would be. 512 readings at most: then each second
// one is forgotten, and they are taken half as often. Pure; no system calls.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

namespace replay {

struct cpu_share {
    double own = 0;                   // the thread's CPU time by the wall's
    std::optional<double> cpu_idle{}; // of its CPU, if it has one alone

    static constexpr double least_idle = 0.15;
    bool client_bound() const { return 1 - own < least_idle || cpu_idle.value_or(1) < least_idle; }
};

struct cpu_ticks { // of ten milliseconds
    double idle = 0, all = 0;
};

struct cpu_reading {
    std::chrono::nanoseconds at{0}, own{0};
    std::optional<cpu_ticks> cpu{};
};

class cpu_history {
public:
    void add(const cpu_reading &now);
    std::chrono::nanoseconds next() const; // when another reading is wanted
    // Of so many percent in the middle of the time, out to the readings next to its edges. There is a reading.
    cpu_share middle(double percent) const;

private:
    std::vector<cpu_reading> readings_;
    std::chrono::nanoseconds interval_ = std::chrono::milliseconds(100);
};

} // namespace replay
