// futex(2) between the threads of one process.
#pragma once

#include "kernel/system_call.hpp"

#include <atomic>
#include <climits>
#include <ctime>
#include <linux/futex.h>

namespace laio {

template <class T>
concept futex = sizeof(std::atomic<T>) == 4 && std::atomic<T>::is_always_lock_free;

// Sleeps, if it is `value`, until it is woken; for `timeout` at most (nullptr: no limit), and sometimes for less.
// -ETIMEDOUT: for so long.
template <futex T> long futex_wait(const std::atomic<T> &one, T value, const timespec *timeout = nullptr) {
    return system_call(SYS_futex, word(&one), FUTEX_WAIT_PRIVATE, static_cast<int>(value), word(timeout));
}

template <futex T> void futex_wake(const std::atomic<T> &one) {
    system_call(SYS_futex, word(&one), FUTEX_WAKE_PRIVATE, 1);
}

template <futex T> void futex_wake_all(const std::atomic<T> &one) {
    system_call(SYS_futex, word(&one), FUTEX_WAKE_PRIVATE, INT_MAX);
}

} // namespace laio
