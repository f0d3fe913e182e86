// Handlers and masks, in the words of these tests.
#pragma once

#include <atomic>
#include <csignal>

namespace laio::test {

inline std::atomic<int> handled{0};
inline void count(int) { ++handled; }

inline void handle(int number, void (*with)(int), int flags = SA_RESTART) {
    struct sigaction action {};
    action.sa_handler = with;
    action.sa_flags = flags;
    sigaction(number, &action, nullptr);
}

inline sigset_t set_of(int number) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    return set;
}

inline void block_signal(int number) {
    const sigset_t set = set_of(number);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

inline void unblock_signal(int number) {
    const sigset_t set = set_of(number);
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

inline bool is_blocked(int number) {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    return sigismember(&mask, number) == 1;
}

inline bool is_pending(int number) {
    sigset_t pending;
    sigpending(&pending);
    return sigismember(&pending, number) == 1;
}

} // namespace laio::test
