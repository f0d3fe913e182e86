// One function for each form in the table of calls. What they answer is in calls/attempt.hpp. None is put into the one that
// chooses among them, where all of them would pay for the registers and the stack of each.
#pragma once

#include "calls/attempt.hpp"

#include <cerrno>
#include <poll.h>

namespace laio {

[[gnu::noinline]] outcome attempt_read(operation &op, surroundings &world);
[[gnu::noinline]] outcome attempt_write(operation &op, surroundings &world);
[[gnu::noinline]] outcome attempt_receive(operation &op, surroundings &world);
[[gnu::noinline]] outcome attempt_send(operation &op, surroundings &world);
[[gnu::noinline]] outcome attempt_receive_many(operation &op, surroundings &world);
[[gnu::noinline]] outcome attempt_send_many(operation &op, surroundings &world);
[[gnu::noinline]] outcome attempt_accept(operation &op, surroundings &world);
[[gnu::noinline]] outcome attempt_connect(operation &op, surroundings &world);
[[gnu::noinline]] outcome attempt_open(operation &op, surroundings &world);
[[gnu::noinline]] outcome attempt_status(operation &op, surroundings &world);
[[gnu::noinline]] outcome attempt_close(operation &op, surroundings &world);
[[gnu::noinline]] outcome attempt_lock(operation &op, surroundings &world);
[[gnu::noinline]] outcome attempt_control(operation &op, surroundings &world);
[[gnu::noinline]] outcome attempt_wait(operation &op, surroundings &world);
[[gnu::noinline]] outcome attempt_sleep(operation &op, surroundings &world);
// Of ppoll and its kin: a time-out or a signal mask that cannot be used, a negative errno; 0: they are all right.
long check_poll_arguments(const operation &op);

[[gnu::noinline]] outcome attempt_poll(operation &op, surroundings &world);
[[gnu::noinline]] outcome attempt_events(operation &op, surroundings &world);
[[gnu::noinline]] outcome attempt_random(operation &op, surroundings &world);
[[gnu::noinline]] outcome attempt_message(operation &op, surroundings &world);
[[gnu::noinline]] outcome attempt_futex(operation &op, surroundings &world);
[[gnu::noinline]] outcome attempt_send_file(operation &op, surroundings &world);
[[gnu::noinline]] outcome attempt_pipe_copy(operation &op, surroundings &world);

// What a result means for a call that moves bytes; also for results that the ring brings.
outcome account_read(operation &op, surroundings &world, long result);
outcome account_write(operation &op, surroundings &world, long result);
outcome account_receive(operation &op, surroundings &world, long result);
outcome account_send(operation &op, surroundings &world, long result);
outcome account_send_file(operation &op, surroundings &world, long result);

// The descriptor a call works on, and what it said so far.
inline int descriptor_of(const operation &op) { return static_cast<int>(op.made.a[0]); }
inline outcome done_with(const operation &op, long result) {
    return done(op.moved > 0 ? static_cast<long>(op.moved) : result);
}

// Whether its descriptor is one on which the application does not want to wait. Asked while the call is made; setting
// O_NONBLOCK afterwards changes nothing for a call that waits already.
inline bool must_not_wait(const operation &op, const surroundings &world) {
    return op.now == state::free && world.is_nonblocking(descriptor_of(op));
}

// The plain call where that does not wait, else a carrier's.
inline outcome in_place_or_carrier(const operation &op, const surroundings &world) {
    return must_not_wait(op, world) ? done(in_place(op)) : blocked(until::carrier);
}

// It was asked for just now, and there was nothing, or no room: the next to come is an event.
inline outcome found_nothing(operation &op, until what) {
    op.found_nothing = true;
    return blocked(what);
}

// Somebody who may block makes it when it will hardly block: now, or after a wait for the descriptor.
inline outcome once_readable(operation &op) {
    if (is_ready(descriptor_of(op), POLLIN)) return blocked(until::carrier);
    return found_nothing(op, until::readable_carrier);
}

// "Would block", unless that is the answer.
inline outcome blocked_unless_nonblocking(operation &op, const surroundings &world, until what) {
    return must_not_wait(op, world) ? done_with(op, -EAGAIN) : found_nothing(op, what);
}

} // namespace laio
