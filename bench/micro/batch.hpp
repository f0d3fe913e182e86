// A batch of one way: a warm-up, then the timed part.
#pragma once

#include "subject.hpp"

#include <cstddef>

namespace laio::bench {

// How long the `operations` of the timed part took, in seconds.
double run_batch(subject &measured, std::size_t operations);

// The same in a child process, for a way that leaves threads behind: as long as a process has more than one, each of its
// system calls on a descriptor costs more (the kernel counts references to the file), and the other ways would pay.
double run_batch_in_child(subject &measured, std::size_t operations);

} // namespace laio::bench
