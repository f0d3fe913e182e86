// The library's own threads: they have small stacks, and no signal of the application's gets there.
#pragma once

#include <cstddef>
#include <pthread.h>

namespace laio {

// A thread that blocks every signal but `open_signal` (0: every one). 0 or a negative errno.
int start_thread(pthread_t &thread, void *(*run)(void *), void *argument, std::size_t stack_bytes, int open_signal = 0);

} // namespace laio
