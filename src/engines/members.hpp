// The kernel threads that carry the application (its home and the carriers), and what they have to do with signal 33.
//
// glibc's setuid(2) and its kin send 33 to every thread that glibc knows; the handler makes the call there and notes that
// in the thread's own pthread structure, found by the thread pointer. But a carrier may have the application's at that
// moment. So the handler is wrapped: on a member it runs with the thread pointer that the member was born with.
// That reaches all kernel threads but one: when the carried application itself calls setuid(2), glibc takes the kernel
// thread below it for the one that it knows, and nobody tells home. So the wrapper on that thread makes home follow.
//
// 33 is also our messenger to members (si_code SI_QUEUE, which glibc's tgkill(2) never has; never passed on to it), for
// nobody blocks it: not the application (libc refuses), nor we. A message says only that there is something to look at in
// memory, so that a forged one does nothing. Lost: a thread-local (the thread pointer may be the application's).
// Any thread may call this; a member is never freed, and is used again.
#pragma once

#include "engines/held_descriptor.hpp"

#include <atomic>
#include <csignal>
#include <cstdint>

namespace laio {

struct guest;
struct favour; // what is asked of a member

struct member {
    std::atomic<int> tid;          // 0: free; -1: about to be filled in
    std::atomic<int> process;      // the child of a fork has a copy of its parent's
    std::uintptr_t thread_pointer; // of the pthread that the kernel thread was born as; 0: it never has another
    member *home;     // of the application that it carries at times; nullptr: it is home, or carries nobody
    const void *crew; // whose members follow one another in make_everywhere()
    std::atomic<favour *> asked;
    std::atomic<std::uintptr_t> stack_top; // of the stack that it makes calls in place on
    std::atomic<bool> changed;             // its credentials may have, by signal 33
    std::atomic<std::uint64_t> new_mask;   // the signals that it is to block from now on; 0: as they are
    std::atomic<int> answer;               // to that: none, awaited, comes later, given; a futex
    std::uint64_t answered;                // the mask before
    std::atomic<bool> looks_after_itself;  // it blocks signals as it should; new_mask is void
    held_descriptor held;                  // of the call that it was left in
    member *next;
};

// The calling kernel thread, whose pthread `thread_pointer` is of; home: see struct member. Takes signal 33 over from glibc,
// which installs its handler at the first pthread_create(3) of a process and of a child. nullptr: no memory, not glibc,
// or a thread sanitizer, which knows of no change of thread pointer.
member *join_members(std::uintptr_t thread_pointer, member *home, const void *crew);
// Says beforehand that a thread will join, and that it will not after all; make_everywhere() waits for it.
void expect_member();
void expect_no_member();
void leave_members(member &one); // any thread; before `one` ends, or when it carries nobody any more

constexpr int setxid_signal = 33; // SIGSETXID in glibc's sources; its handler runs with all signals blocked, itself too

// Whether a thread is in a call that no signal interrupts now, and what it blocks there.
using deaf_question = bool (*)(const guest &, std::uint64_t &mask);

// `one`, which is in a call that the application has been taken away from, runs no more handlers of the application's: it
// blocks `mask` from now on. The call is interrupted for that; the kernel makes it again where it can. Waits for its
// answer, which tells the application's mask there, in `to`: as long as a handler on top of the call takes. Not if the call
// is over, or is one that no signal interrupts, as is_deaf says of `its`: then it will block them as soon as it does anything. Nor
// if it does not answer for long: a handler may still run there.
void close_mask(member &one, std::uint64_t mask, const guest &its, deaf_question is_deaf, std::uint64_t &to);
void ask_for_mask(member &one, std::uint64_t mask); // likewise, without waiting
// By the member itself: its mask is in its own hands from now on; it blocks what it should, or the application's mask is its own again.
// In between it tells what the application's mask was: if the call ended before a message came, nobody else knows.
void begin_to_look_after_itself(member &one);
void tell_mask(member &one, std::uint64_t mask);
void looks_after_itself(member &one, bool does);

// The other members of the crew make the call too, with the same arguments: what a thread drops, all drop. Waits for them.
void make_everywhere(const void *crew, long number, const long *arguments);

} // namespace laio
