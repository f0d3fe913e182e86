// The attempt: a call in its non-blocking form, and what comes next when that was not enough.
//
// Each form is in a file of attempts/. An attempt keeps what it achieved in the operation (moved), so that it can be
// made again when what it waited for has come. Used by the loop's thread.
#pragma once

#include "calls/operation.hpp"
#include "calls/surroundings.hpp"
#include "kernel/system_call.hpp"

namespace laio {

struct outcome {
    until waits_for; // nothing: the call is done
    long result;     // then: what it returns, or a negative errno
};

constexpr outcome done(long result) { return {until::nothing, result}; }
constexpr outcome blocked(until what) { return {what, 0}; }

// The call as the application made it, in place. For what is known not to block.
inline long in_place(const operation &op) {
    const auto &a = op.made.a;
    return system_call(op.made.number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

// Makes the attempt of the operation's form.
outcome attempt(operation &op, surroundings &world);

// What the result of an engine that made the call (the ring) means for it: done, or more to do.
outcome account(operation &op, surroundings &world, long result);

// Of a step of sendfile(2) to a socket: whether it can be asked for its bytes, which are at an offset of its own.
bool may_look(const operation &op);

// Where the application asked not to wait itself, or the call cannot be attempted: may the new call go ahead of others
// that wait on its descriptor?
bool never_waits(const operation &op, const surroundings &world);

} // namespace laio
