#include "engines/threads.hpp"

#include <climits>
#include <csignal>

namespace laio {

int start_thread(pthread_t &thread, void *(*run)(void *), void *argument, std::size_t stack_bytes, int open_signal) {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    const auto least = static_cast<std::size_t>(PTHREAD_STACK_MIN); // 128 KB on aarch64
    pthread_attr_setstacksize(&attributes, stack_bytes < least ? least : stack_bytes);
    sigset_t blocked;
    sigfillset(&blocked);
    if (open_signal != 0) sigdelset(&blocked, open_signal);
    pthread_attr_setsigmask_np(&attributes, &blocked);
    const int error = pthread_create(&thread, &attributes, run, argument);
    pthread_attr_destroy(&attributes);
    return -error;
}

} // namespace laio
