// What a kernel thread needs to be a guest, and what is asked about one: the files of /proc by which others see whether it
// blocks, which CPU it is on and which signals it blocks; no rseq area; a mask that keeps signals away from it.
#pragma once

#include "engines/activation/guest.hpp"
#include "kernel/futex.hpp"

#include <cstdint>

namespace laio {

// Every signal but glibc's own, 32 and 33, which have to reach every thread.
constexpr std::uint64_t all_signals = ~(std::uint64_t{3} << 31);
constexpr std::uint64_t bit_of_signal(int number) { return std::uint64_t{1} << (number - 1); }

std::uint64_t set_mask(std::uint64_t mask); // of the calling kernel thread; returns what it was

// The calling thread's id and files into `one`. 0 or a negative errno.
int open_files(guest &one);
void close_files(guest &one);

bool is_blocked(const guest &one); // in its call, not in a signal handler on top of it
int cpu_of(const guest &one);      // the one it is or was last on; -1: not to be told

// The kernel writes into a thread's rseq area whenever the thread is preempted; the area of one that carries another's
// context would be the wrong one. 0 or a negative errno.
int give_up_rseq();
void take_back_rseq();

// Unless somebody else does already: who ends joins the one that ended before it.
void join(guest &one);

// Asks a guest at rest for something.
inline void send(guest &to, errand what) {
    to.asked.store(static_cast<int>(what), std::memory_order_release);
    futex_wake(to.asked);
}

} // namespace laio
