// What a guest has to find out about the one whose application it takes over: whether it may do the same, and whether a
// handler of the application's may still run there. Read from /proc; the guest adopts what it can.
#pragma once

#include "engines/activation/guest.hpp"

namespace laio {

enum class likeness : int { same, later, never };

// Whether the guest may do what the other one may, by itself; `seen` is told of that one, if it does not know yet.
likeness match(guest &me, const guest &other, thread_status &seen);

// By the guest itself: what the application has made of it.
void know_oneself(guest &me);

// Whether the thread was in the handler of messages, so that what it blocked is not the application's.
bool is_told(const thread_status &seen);

// Whether the application catches signals that are not ours alone: `closed` is what we block of its.
bool catches_any(const thread_status &seen, std::uint64_t closed);

// Whether that says by itself that a thread whose word is `inside` blocks in the call, and not in a handler on top of it:
// of an application that catches nothing, or promised that no handler runs there.
bool shows_blocked_call(const thread_status &seen, std::uint64_t closed, bool is_promised);

// Whether the thread can run no handler of the application's.
bool handles_nothing(thread_status &seen, const guest &from, std::uint64_t closed);

// In its call, which no signal interrupts now; `mask` is told what it blocks there.
bool is_deaf(const guest &one, std::uint64_t &mask);

} // namespace laio
