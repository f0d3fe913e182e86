// laio_syscall(): from the application to the kernel and back, by the shortest way that there is for the call.
//
// On processors that guard their return predictions (AMD's "Safe RET") every return from a function after a system call is
// predicted wrongly, and costs as much as ten of the instructions here. So direct calls are made in this function itself, and
// calls in place by jumping to the assembly, which returns to our caller; everything else is jumped to as well.
#include "kernel/system_call.hpp"
#include "loop.hpp"
#include "thread.hpp"

#include <cerrno>

namespace {

using laio::current_loop;
using laio::loop;
using laio::route;
using laio::row;

[[gnu::noinline]] long fail(long error) {
    errno = static_cast<int>(-error);
    return -1;
}

// A result of the kernel's kind as one of libc's.
inline long answer(long result) {
    if (result < 0 && result >= -4095) [[unlikely]]
        return fail(result);
    return result;
}

// A call before the thread has a loop. Without one to be had, what needs none still works.
[[gnu::noinline]] long first_call(long number, const long *a) {
    const int r = laio::make_loop(nullptr);
    if (r == 0) return answer(current_loop()->make(number, a));
    const row *what = laio::find_row(number);
    const bool in_place = what != nullptr && (what->way == route::direct || what->way == route::home);
    return answer(in_place ? laio::system_call(number, a[0], a[1], a[2], a[3], a[4], a[5]) : r);
}

[[gnu::noinline]] long make(long number, long a0, long a1, long a2, long a3, long a4, long a5) {
    const long a[6] = {a0, a1, a2, a3, a4, a5};
    loop *its = current_loop();
    return its != nullptr ? answer(its->make(number, a)) : first_call(number, a);
}

[[gnu::noinline]] long dispatch(long number, long a0, long a1, long a2, long a3, long a4, long a5) {
    const long a[6] = {a0, a1, a2, a3, a4, a5};
    return answer(current_loop()->dispatch(*laio::find_row(number), number, a));
}

} // namespace

extern "C" {

// For the assembly: its call returned an error; its call was claimed, and another thread comes back from it. `words` are the
// number and the arguments.
[[gnu::visibility("hidden"), gnu::used]] long laio_activation_failed(long error) { return fail(error); }
[[gnu::visibility("hidden"), gnu::used]] long laio_activation_claimed(const long *words) {
    laio::activation::open_signals();
    return answer(current_loop()->claimed_in_place(words[0], words + 1));
}

// Callers see a variadic function; the calling conventions that we know pass its arguments where they pass those of this
// one, and walking a va_list cost more than the rest of a direct call. syscall(2) does the same.
LAIO_API long laio_syscall_words(long number, long a0, long a1, long a2, long a3, long a4,
                                 long a5) __asm__("laio_syscall");

long laio_syscall_words(long number, long a0, long a1, long a2, long a3, long a4, long a5) {
    loop *its = current_loop();
    const row *what = its != nullptr ? its->begin(number) : nullptr;
    if (what == nullptr) [[unlikely]]
        return make(number, a0, a1, a2, a3, a4, a5);
    if (what->way == route::direct) return answer(laio::system_call(number, a0, a1, a2, a3, a4, a5));
    if (its->goes_in_place(*what, a0)) return laio::laio_activation_syscall(number, a0, a1, a2, a3, a4, a5);
    return dispatch(number, a0, a1, a2, a3, a4, a5);
}

} // extern "C"
