// A system call as the kernel sees it: six words in, a result or a negative errno out, errno itself untouched.
//
// Lost: syscall(2) of libc. It answers through errno, so every caller would translate twice, and it costs a call more on
// the path that this library promises to keep as cheap as the plain one.
#pragma once

#include <sys/syscall.h>

namespace laio {

#if defined(__x86_64__)

inline long system_call(long number, long a0 = 0, long a1 = 0, long a2 = 0, long a3 = 0, long a4 = 0, long a5 = 0) {
    long result = 0;
    register long r10 asm("r10") = a3;
    register long r8 asm("r8") = a4;
    register long r9 asm("r9") = a5;
    asm volatile("syscall"
                 : "=a"(result)
                 : "a"(number), "D"(a0), "S"(a1), "d"(a2), "r"(r10), "r"(r8), "r"(r9)
                 : "rcx", "r11", "memory");
    return result;
}

#elif defined(__aarch64__)

inline long system_call(long number, long a0 = 0, long a1 = 0, long a2 = 0, long a3 = 0, long a4 = 0, long a5 = 0) {
    register long x8 asm("x8") = number;
    register long x0 asm("x0") = a0;
    register long x1 asm("x1") = a1;
    register long x2 asm("x2") = a2;
    register long x3 asm("x3") = a3;
    register long x4 asm("x4") = a4;
    register long x5 asm("x5") = a5;
    asm volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
}

#else
#error "laio knows the system calls of x86-64 and aarch64 only"
#endif

// A pointer as an argument.
inline long word(const void *pointer) { return reinterpret_cast<long>(pointer); }

// An argument as a pointer.
template <class T> T *pointer(long argument) { return reinterpret_cast<T *>(argument); }

} // namespace laio
