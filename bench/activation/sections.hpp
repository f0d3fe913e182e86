// The parts of the benchmark. Each measures in child processes of this one, prints a table and returns what it found.
#pragma once

#include "common/affinity.hpp"
#include "report.hpp"

namespace laio::bench {

// How long it is from the entry of laio_syscall() until it says EINPROGRESS, for a call that blocks at once: with the
// loop alone on its CPU, free to move, and beside a task that computes.
section measure_blocked(const sizes &chosen, const affinity &cpus, int cpu);

// That no call is left behind, nor taken to block, which does not.
section measure_ready(const sizes &chosen, const affinity &cpus, int cpu);

// The CPU time of those who watch, for a turn of the loop.
section measure_turns(const sizes &chosen, const affinity &cpus, int cpu);

// The CPU time of the library's threads while the program has nothing for them to do.
section measure_idle(const sizes &chosen);

// How often a loop with a quota of CPU time is stopped, with and without the library.
section measure_quota(const sizes &chosen, const affinity &cpus, int cpu);

} // namespace laio::bench
