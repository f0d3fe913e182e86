// The calling thread's thread pointer, by the instructions that need no system call: see find_activation_obstacle() for where
// there are any. Volatile, since the compiler takes a thread's for one that never changes.
#pragma once

#include <cstdint>

namespace laio {

#if defined(__x86_64__)

inline std::uintptr_t thread_pointer() {
    std::uintptr_t is = 0;
    asm volatile("rdfsbase %0" : "=r"(is));
    return is;
}
inline void set_thread_pointer(std::uintptr_t to) { asm volatile("wrfsbase %0" : : "r"(to) : "memory"); }

#else

inline std::uintptr_t thread_pointer() {
    std::uintptr_t is = 0;
    asm volatile("mrs %0, tpidr_el0" : "=r"(is));
    return is;
}
inline void set_thread_pointer(std::uintptr_t to) { asm volatile("msr tpidr_el0, %0" : : "r"(to) : "memory"); }

#endif

} // namespace laio
