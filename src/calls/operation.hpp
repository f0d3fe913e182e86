// An operation: one call of laio_syscall() from its arguments to its completion, and the states it goes through.
//
//   free -> waiting | queued | running -> done -> free       with `cancelling` before `done` when an end was asked for
//
// An operation belongs to one loop and is used by its thread only, but for what a carrier reads and writes between
// taking it and handing it in (made, cancelled, result). Memory the application passed stays the application's; copies
// of its small structures (copied) are the operation's. Every change of state goes through enter().
#pragma once

#include "calls/table.hpp"
#include "kernel/file.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

namespace laio {

struct call {
    long number;
    long a[6];
};

enum class state : std::uint8_t {
    free,       // in the pool, or being attempted in place
    waiting,    // for a descriptor, a time, or its turn behind another call
    queued,     // given to the carriers: in their queue, or on one
    running,    // given to the ring
    cancelling, // as queued or running, but its end was asked for
    done,       // its result stands; not handed over yet
};

// Its part in a crowd of senders: engines/crowd.hpp.
enum class in_crowd : std::uint8_t { no, waits, sends };

// What stands between a call and its result.
enum class until : std::uint8_t {
    nothing,          // it is done
    readable,         // wait for the descriptor, then attempt again
    writable,         // likewise
    carrier,          // somebody who may block has to make it
    readable_carrier, // likewise, but not before the descriptor is readable
    ring,             // the ring makes it: a read from a disk, an accept, a connect
    time,             // the deadline
    descriptors,      // one of several: own_descriptor is readable when one of them is ready
};

struct operation;
struct descriptor_calls;
enum class lane : std::uint8_t { none, in, out };

// One place of an operation in the order of the calls on one descriptor; see descriptors.hpp.
struct membership {
    operation *owner;
    descriptor_calls *where;
    membership *previous;
    membership *next;
    lane way;
};

struct operation {
    // what was called
    const row *what;
    call made;
    // who it is
    std::uint32_t index;
    std::uint32_t generation;
    state now;
    // how far it is
    until waits_for;
    bool timed_out;  // its end was asked for because its deadline came
    bool has_header; // header is a copy of the application's
    bool positional; // moves the offset of a regular file
    bool crowded;    // the socket that its step is for has much queued already
    bool looks;      // whether the bytes of its step are in memory is to be asked before it is made
    bool looked;     // it was
    bool absent;     // they are not: it will block
    in_crowd crowd;
    bool found_nothing;     // nothing was to be had by its last attempt, which nothing but its wait comes after
    std::uint8_t fruitless; // times that its descriptor was ready and the attempt still said "would block"
    std::atomic<int> cancelled;
    std::uint64_t moved;  // bytes or messages
    std::uint64_t wanted; // how many of them make the call complete
    std::uint64_t step;   // how many somebody who may block is to move at a time, 0: all
    long result;          // or a negative errno
    void *data;
    // copies of what the application passed by reference; what is left to move
    iovec *vector;
    std::size_t vector_length;
    iovec vector_inside[6];
    msghdr header;
    timespec time;
    void *copied;    // malloc: the descriptor sets of select(2)
    file_key source; // of sendfile(2): what it was to read from when it went to the background, or was looked for
    // where it waits
    int descriptor;           // that it waits for, -1: none
    int own_descriptor;       // made for it and closed with it, -1: none
    std::int32_t timer_place; // the timers', 0: no deadline set there
    bool held;                // its engine has it in a list of its own: it can be taken back at once
    std::int64_t deadline_ns; // CLOCK_MONOTONIC, 0: none
    std::int64_t queued_ns;
    membership places[2];
    operation *next; // in the one list it is in: pool, ready, waiters, queue, handed in, backlog
    operation *previous;
    std::atomic<int> runner; // thread id of the carrier that makes the call now, 0: none, -1: none any more
};

static_assert(sizeof(operation) <= 512, "an operation costs at most 512 bytes");

constexpr unsigned bit(state s) { return 1u << static_cast<unsigned>(s); }

// The states that may follow each, in the order of `state`.
constexpr std::uint8_t successors[] = {
    bit(state::waiting),
    bit(state::waiting) | bit(state::queued) | bit(state::running) | bit(state::done),
    bit(state::waiting) | bit(state::cancelling) | bit(state::done),
    bit(state::waiting) | bit(state::cancelling) | bit(state::done),
    bit(state::done),
    bit(state::free),
};

// Makes the change of state, or ends the process when it is none of the above: that is an error in this library.
inline void enter(operation &op, state next) {
    if ((successors[static_cast<unsigned>(op.now)] & bit(next)) == 0) std::abort();
    op.now = next;
}

// Fresh for a new call; keeps identity. In place, as every attempted call does it. What another thread may be using already,
// when a call was claimed, is not touched: cancelled, runner and result.
inline void prepare(operation &op, const row &what, long number, const long *arguments) {
    op.what = &what;
    op.made.number = number;
#pragma GCC unroll 6
    for (int i = 0; i < 6; ++i) op.made.a[i] = arguments[i];
    op.waits_for = until::nothing;
    op.timed_out = false;
    op.has_header = false;
    op.positional = false;
    op.crowded = false;
    op.looks = false;
    op.looked = false;
    op.absent = false;
    op.crowd = in_crowd::no;
    op.found_nothing = false;
    op.fruitless = 0;
    op.moved = 0;
    op.wanted = 0;
    op.step = 0;
    op.data = nullptr;
    op.vector = nullptr;
    op.copied = nullptr;
    op.source = {};
    op.own_descriptor = -1;
    op.descriptor = static_cast<int>(arguments[0]);
    op.deadline_ns = 0;
}

// Gives back what the operation holds beside itself: copies and its own descriptor.
void release_held(operation &op);
inline void release(operation &op) {
    if (op.vector != nullptr || op.copied != nullptr || op.own_descriptor >= 0) release_held(op);
}

// An intrusive first-in-first-out list through operation::next and previous.
struct operation_list {
    operation *first = nullptr;
    operation *last = nullptr;

    [[nodiscard]] bool empty() const { return first == nullptr; }

    void push(operation &op) {
        op.next = nullptr;
        op.previous = last;
        (last != nullptr ? last->next : first) = &op;
        last = &op;
    }

    operation *pop() {
        operation *op = first;
        if (op != nullptr) remove(*op);
        return op;
    }

    void remove(operation &op) {
        (op.previous != nullptr ? op.previous->next : first) = op.next;
        (op.next != nullptr ? op.next->previous : last) = op.previous;
        op.next = op.previous = nullptr;
    }
};

} // namespace laio
