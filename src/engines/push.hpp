// A stack that any thread may push onto without a lock, of things that point to each other.
#pragma once

#include <atomic>

namespace laio {

// True: it is the first one.
template <class T> bool push(std::atomic<T *> &stack, T &one, T *T::*next) {
    T *latest = stack.load(std::memory_order_relaxed);
    do one.*next = latest;
    while (!stack.compare_exchange_weak(latest, &one, std::memory_order_release, std::memory_order_relaxed));
    return latest == nullptr;
}

} // namespace laio
