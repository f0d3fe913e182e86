// A system call that another thread can interrupt without losing the race between "not yet made" and "made".
//
// laio_interruptible_call() makes it unless *cancelled is set, looking at it in the last instruction before the kernel
// is entered. A canceller sets *cancelled and sends the cancel signal to the thread: either the kernel is inside and
// the call ends with -EINTR, or the handler finds the thread between the look and the call and moves it past the call.
// Lost: only repeating the signal until the call ends. That costs a timer's time whenever the race is lost. The loop does
// repeat it, for calls in place: a handler of the application's on top of one may have had the first.
#pragma once

#include "kernel/system_call.hpp"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <ucontext.h>

namespace laio {

extern "C" {
// Returns the call's result or a negative errno; -ECANCELED when it was not made.
long laio_interruptible_call(const int *cancelled, long number, const long *arguments);
extern const char laio_interruptible_begin[];
extern const char laio_interruptible_end[];
extern const char laio_interruptible_cancelled[];
}

// -EINTR: the call is to be made again. close(2) is not: the descriptor is closed although it was interrupted.
constexpr long settled(long number, long result) { return result == -EINTR && number == SYS_close ? 0 : result; }

// Takes `number`, or with 0 the highest real-time signal that has its default action, for cancelling. Process wide and
// done once: the first answer holds. Returns the signal, or -EINVAL, or -EBUSY (taken by the application, or none is free).
int take_cancel_signal(int number);

// The code that makes calls in place: there the cancel signal ends one that the kernel is about to make again.
void set_calls_in_place(const void *begin, const void *end);
bool is_call_in_place(std::uintptr_t program_counter);

// In a signal handler: whether the kernel is about to make a call in place again, which call, and its first argument, which
// set_first_argument() changes.
struct call_made_again {
    long number;
    long first_argument;
};
bool is_made_again(const ucontext_t &context, call_made_again &which);
void set_first_argument(ucontext_t &context, long value);

} // namespace laio
