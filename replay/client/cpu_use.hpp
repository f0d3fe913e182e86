// How much of its CPU a run used: the thread's own time, and what /proc/stat says of the CPU when the thread has only that
// one, on which others (a disk of ours) may run. A run in which less than 15 % was left measured the client, too.
#pragma once

#include <chrono>
#include <optional>

namespace replay {

struct cpu_share {
    double own = 0;                   // the thread's CPU time by the wall's
    std::optional<double> cpu_idle{}; // of its CPU, if it has one alone

    static constexpr double least_idle = 0.15;
    bool client_bound() const { return 1 - own < least_idle || cpu_idle.value_or(1) < least_idle; }
};

class cpu_use {
public:
    cpu_use(); // of the calling thread, from now on
    cpu_share so_far() const;

private:
    struct ticks {
        double idle = 0, all = 0;
    };
    static std::chrono::nanoseconds thread_time();
    std::optional<ticks> cpu_time() const;

    int cpu_; // -1: several
    std::chrono::steady_clock::time_point began_;
    std::chrono::nanoseconds own_;
    std::optional<ticks> ticks_;
};

void pin_to(unsigned cpu); // std::system_error

} // namespace replay
