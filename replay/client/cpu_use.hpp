// How much of its CPU a run uses: the thread's own time, and what /proc/stat says of the CPU when the thread has only that
// one, on which others (a disk of ours) may run. A run in which less than 15 % was left measured the client, too.
#pragma once

#include "client/cpu_history.hpp"

#include <chrono>
#include <optional>

namespace replay {

class cpu_use {
public:
    cpu_use(); // of the calling thread, from now on

    void look();                                             // takes a reading
    std::chrono::steady_clock::time_point next_look() const; // when it should be called again
    cpu_share middle(double percent) const { return seen_.middle(percent); }

private:
    std::optional<cpu_ticks> cpu_time() const;

    int cpu_; // -1: several
    std::chrono::steady_clock::time_point began_;
    cpu_history seen_;
};

void pin_to(unsigned cpu); // std::system_error

} // namespace replay
