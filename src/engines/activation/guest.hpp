// A kernel thread that can carry the application: the loop's home, or a carrier. What it is asked to do goes through one
// futex; what it makes goes through one word.
//
// The word of a call is a generation and a state. The thread that makes the call moves it to `inside`, and to `done` when the
// kernel has answered; only then it looks whether there is a claim of this generation. A claimant puts one up and looks at the
// word then. Where both see each other they are parted by one compare-and-swap on the claim: withdrawn, or confirmed. The
// fence that the call saves is the claimant's membarrier(2).
#pragma once

#include "calls/operation.hpp"
#include "engines/credentials.hpp"
#include "engines/members.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace laio {

class activation;

enum class errand : int { none, claim, resume, help, rest, end };

// busy: it carries, or blocks, or is the spare, or is home. Only one at rest ends by itself, and then waits to be freed.
enum class whereabouts : int { busy, at_rest, ended, to_be_freed };

struct alignas(64) guest {
    // used by the assembly; for a call that does not block this line alone
    std::atomic<std::uint64_t> word;
    void *app_sp; // where the application was left
    void *own_sp;
    std::uintptr_t app_tp;  // thread pointers
    std::uintptr_t call_tp; // while it makes a call: its own, or the application's where no signal handler can run then
    const std::atomic<unsigned> *asleep; // the watchers': not zero when a call has to wake them
    std::atomic<std::uint64_t> claim;    // only grows, or is withdrawn to zero
    void *resume;                        // where the application goes on when another thread carries it

    std::uintptr_t own_tp;
    void *thread_sp;
    long result; // of a call that was claimed
    call made;   // as the registers still had it

    activation *of;
    operation *op;             // whose call it makes
    std::atomic<int> asked;    // enum errand; a futex
    guest *from;               // of the errand: whose call to claim, whose application to resume
    std::uint64_t from_word;   // of a claim
    thread_status from_status; // likewise, where the watcher has read it; else its state is zero
    std::uint64_t mask;        // the application's blocked signals, which this one carries on with
    member *membership;
    credentials known;                // what it may do, unless membership->changed
    std::atomic<std::uint64_t> alone; // the word of a call that nobody may claim
    std::atomic<whereabouts> is;
    std::atomic<bool>
        is_open;             // its call was left behind without being interrupted: it still takes the signals that the
    std::uint64_t left_mask; // application let in then
    std::atomic<int> joined; // 1: somebody joins its thread; 2: has
    bool has_carried;        // so the application may have left something in it: kernel/ties.hpp
    guest *next;             // in the list of those at rest
    guest *next_made;        // in the list of all
    unsigned long thread;    // pthread_t
    std::atomic<int> tid;
    int syscall_file; // /proc/self/task/TID/syscall, status and stat: asked by others
    int status_file;
    int stat_file;
};

static_assert(offsetof(guest, word) == 0 && offsetof(guest, app_sp) == 8 && offsetof(guest, own_sp) == 16);
static_assert(offsetof(guest, app_tp) == 24 && offsetof(guest, call_tp) == 32 && offsetof(guest, asleep) == 40);
static_assert(offsetof(guest, claim) == 48 && offsetof(guest, resume) == 56 && offsetof(guest, own_tp) == 64);
static_assert(offsetof(guest, thread_sp) == 72 && offsetof(guest, result) == 80 && offsetof(guest, made) == 88);

// Who carries the application of this thread, the assembly's way to it; nullptr: it makes no calls in place.
extern "C" [[gnu::visibility("hidden")]] constinit thread_local guest *laio_running;

constexpr std::uint64_t word_inside = 1;
constexpr std::uint64_t word_done = 2; // or not made yet; the next generation's `inside` is three more
constexpr std::uint64_t confirmed = 2; // what a claim is then more than the word that it is about

inline bool is_inside(std::uint64_t word) { return (word & 3) == word_inside; }

} // namespace laio
