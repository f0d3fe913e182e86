// A system call that another thread can interrupt without losing the race between "not yet made" and "made".
//
// interruptible_call() makes the call unless *cancelled is set, looking at it in the last instruction before the kernel
// is entered. A canceller sets *cancelled and sends the cancel signal to the thread: either the kernel is inside and
// the call ends with -EINTR, or the handler finds the thread between the look and the call and moves it past the call.
// Lost: repeating the signal until the call ends. It needs a timer, and interrupts the call that comes next.
#pragma once

#include <csignal>
#include <cstdint>

namespace laio {

extern "C" {
// Returns the call's result or a negative errno; -ECANCELED when it was not made.
long laio_interruptible_call(const int *cancelled, long number, const long *arguments);
extern const char laio_interruptible_begin[];
extern const char laio_interruptible_end[];
extern const char laio_interruptible_cancelled[];
}

// Takes `number`, or with 0 the highest real-time signal that has its default action, for cancelling. Process wide and
// done once: the first answer holds. Returns the signal, or -EINVAL, or -EBUSY (taken by the application, or none is free).
int take_cancel_signal(int number);

// The code that makes calls in place: there the cancel signal ends one that the kernel is about to make again.
void set_calls_in_place(const void *begin, const void *end);
bool is_call_in_place(std::uintptr_t program_counter);

} // namespace laio
