#include "calls/attempt.hpp"

#include "calls/attempts/forms.hpp"
#include "calls/transfer.hpp"

namespace laio {
namespace {

// Never kept from being attempted: those that wait for a lock must not keep out the call that gives it back.
bool releases_locks(form f) { return f == form::lock || f == form::control || f == form::futex; }

// A descriptor that does not wait by itself, whoever makes the call.
bool keeps_own_rules(const operation &op, const surroundings &world) {
    file_identity file{};
    if (!waits_for_peer(op.what->attempt) || !never_waits(op, world) || identify(op.descriptor, file) < 0) return false;
    return file.kind != file_kind::regular && file.kind != file_kind::block;
}

outcome without_attempt(const operation &op, const surroundings &world) {
    if (op.what->attempt == form::poll || op.what->attempt == form::events)
        if (const long error = check_poll_arguments(op); error != 0) return done(error);
    return keeps_own_rules(op, world) ? done(in_place(op)) : blocked(until::carrier);
}

} // namespace

outcome attempt(operation &op, surroundings &world) {
    if (!world.has.attempts && !releases_locks(op.what->attempt)) return without_attempt(op, world);
    switch (op.what->attempt) {
    case form::none:
    case form::option: break; // made without an attempt
    case form::read: return attempt_read(op, world);
    case form::write: return attempt_write(op, world);
    case form::receive: return attempt_receive(op, world);
    case form::send: return attempt_send(op, world);
    case form::receive_many: return attempt_receive_many(op, world);
    case form::send_many: return attempt_send_many(op, world);
    case form::accept: return attempt_accept(op, world);
    case form::connect: return attempt_connect(op, world);
    case form::open: return attempt_open(op, world);
    case form::status: return attempt_status(op, world);
    case form::close: return attempt_close(op, world);
    case form::lock: return attempt_lock(op, world);
    case form::control: return attempt_control(op, world);
    case form::wait: return attempt_wait(op, world);
    case form::sleep: return attempt_sleep(op, world);
    case form::poll: return attempt_poll(op, world);
    case form::events: return attempt_events(op, world);
    case form::random: return attempt_random(op, world);
    case form::message: return attempt_message(op, world);
    case form::futex: return attempt_futex(op, world);
    case form::send_file: return attempt_send_file(op, world);
    case form::pipe_copy: return attempt_pipe_copy(op, world);
    }
    return blocked(until::carrier);
}

outcome account(operation &op, surroundings &world, long result) {
    switch (op.what->attempt) {
    case form::read: return account_read(op, world, result);
    case form::write: return account_write(op, world, result);
    case form::receive: return account_receive(op, world, result);
    case form::send: return account_send(op, world, result);
    case form::send_file: return account_send_file(op, world, result);
    default: return done(result);
    }
}

bool never_waits(const operation &op, const surroundings &world) {
    if (op.what->attempt == form::none || op.what->attempt == form::send_file) return false;
    if ((message_flags(op) & MSG_DONTWAIT) != 0) return true;
    const int i = op.what->descriptor_argument();
    return i >= 0 && world.is_nonblocking(static_cast<int>(op.made.a[i]));
}

} // namespace laio
