// Operations in the background: which engine they are given to, and what happens when one has something to say. How they
// got there is in loop.cpp, how they get to laio_poll() in loop_poll.cpp.
#include "loop.hpp"

#include "calls/transfer.hpp"
#include "kernel/clock.hpp"

#include <cerrno>
#include <fcntl.h>

namespace laio {
namespace {

constexpr std::uint8_t fruitless_max = 16;

} // namespace

// It is first in line now.
void loop::start(operation &op) { op.waits_for == until::nothing ? advance(op) : place(op); }

// Gives it to the engine that it waits for.
void loop::place(operation &op) {
    switch (op.waits_for) {
    case until::nothing: return;
    case until::readable:
    case until::writable:
    case until::readable_carrier:
    case until::descriptors: start_waiting(op); return;
    case until::ring: start_ring(op); return;
    case until::carrier:
        if (crowd_.must_wait(op)) return crowd_.hold(op);
        op.step > 0 && !op.absent ? make_step(op) : start_carrier(op);
        return;
    case until::time: break;
    }
    if (timers_.start(op) != 0) start_carrier(op);
}

void loop::start_waiting(operation &op) {
    if (world_.sockets_in_ring && (op.waits_for == until::readable || op.waits_for == until::writable) &&
        op.own_descriptor < 0) {
        if (!set_deadline(op, false)) return start_carrier(op);
        if (submit(op)) return;
    }
    if (!world_.waits_in_epoll) return start_carrier(op);
    if (op.waits_for == until::descriptors && op.own_descriptor < 0 && readiness::gather(op) < 0)
        return start_carrier(op);
    const int r = readiness_.start(op);
    if (r == -EBADF) return complete(op, total(op, -EBADF));
    if (r == -EPERM && op.what->attempt == form::read) return start_ring(op); // a file after all
    if (r < 0) return start_carrier(op);
    ++waits_;
    if (r == 1) world_.hints.forget(op.descriptor); // not the file that it was: what we knew of it is void
    if (set_deadline(op, r == 0)) return;
    readiness_.cancel(op);
    start_carrier(op);
}

// The time-out that its socket has of itself, from now on; -1: none. The descriptor is one that the last wait was for, too, if
// it is known again: then a socket without any is not asked again.
std::int64_t loop::own_deadline_ns(const operation &op, bool is_known_again) {
    const bool to_write = op.waits_for == until::writable;
    if (is_known_again && world_.hints.is_untimed(op.descriptor, to_write)) return -1;
    if (world_.kind_of(op.descriptor) != file_kind::socket) return -1;
    const std::int64_t timeout_ns = socket_timeout_ns(op.descriptor, to_write ? SO_SNDTIMEO : SO_RCVTIMEO);
    if (timeout_ns > 0) return now_ns() + timeout_ns;
    world_.hints.note_untimed(op.descriptor, to_write);
    return -1;
}

// Those of poll(2) and its kin are set already. False: no memory.
bool loop::set_deadline(operation &op, bool is_known_again) {
    if (op.deadline_ns == 0 && (waits_for_peer(op.what->attempt) || op.what->attempt == form::send_file))
        op.deadline_ns = own_deadline_ns(op, is_known_again);
    return op.deadline_ns <= 0 || op.timer_place != 0 || timers_.start(op) == 0;
}

void loop::start_ring(operation &op) {
    if (world_.has_ring && submit(op)) return;
    if (op.what->attempt != form::accept) return start_carrier(op);
    op.waits_for = until::readable_carrier;
    start_waiting(op);
}

// An accept may be in the ring since before there were activations, for which it would be in the way for as long as nobody
// connects: attempts/accept.cpp.
void loop::withdraw_accepts() {
    pool_.for_each([this](operation &op) {
        if (op.now != state::running || op.what->attempt != form::accept || !ring_.cancel(op)) return;
        enter(op, state::waiting);
        op.waits_for = until::readable_carrier;
        place(op);
    });
}

// False: the ring cannot make this call.
bool loop::submit(operation &op) {
    if (activation_.is_away() && !activation_.go_home()) return false;
    if (ring_.start(op) < 0) return false;
    enter(op, state::running);
    op.found_nothing = false;
    ring_.submit(); // at once: a disk starts the sooner, and until then the number could come to mean another file
    if (!is_collecting_) collect_ring();
    return true;
}

// A carrier may get to it late, when the number means another file already: so it gets a duplicate, as long as the call
// lasts. Not of a regular file: closing a duplicate would give up the process's fcntl(2) locks on it.
void loop::hold_file(operation &op) {
    file_identity file{};
    if (op.own_descriptor >= 0 || identify(op.descriptor, file) < 0) return;
    if (file.kind == file_kind::regular || file.kind == file_kind::block) return;
    op.own_descriptor = static_cast<int>(system_call(SYS_fcntl, op.descriptor, F_DUPFD_CLOEXEC, 0));
}

void loop::start_carrier(operation &op) {
    timers_.cancel(op);
    op.found_nothing = false;
    if (is_held(op)) hold_file(op);
    enter(op, state::queued);
    crowd_.began(op);
    if (const int r = carriers_.start(op); r < 0) {
        end_step(op);
        return complete(op, total(op, r));
    }
    if (carriers_.wants_help()) activation_.send_help();
    watch_queue();
}

// In place, like a new call: it blocks seldom, and a carrier would have to be woken for each.
void loop::make_step(operation &op) {
    if (!activation_.is_open() || (!activation_.is_away() && !ring_.is_idle())) return start_carrier(op);
    if (!activation_.has_spare() && !activation_.provide_spare()) return start_carrier(op);
    const call rest = rest_as_call(op);
    long result = 0;
    activation_.set_operation(op);
    const bool is_made = activation_.make(rest.number, rest.a, result);
    activation_.set_operation(*spare_);
    if (is_made) return settle(op, step_made(op, result));
    enter(op, state::queued);
    crowd_.began(op);
    note_missed(op);
    if (op.made.number == SYS_sendfile) hold_file(op); // for the steps after this one
    activation_.note_runner(op);
    activation_.provide_spare();
}

// A step is over: perhaps it was what others wait for.
void loop::end_step(operation &op) {
    crowd_.ended(op);
    while (operation *one = crowd_.next()) advance(*one);
}

// There is something to do for it: its descriptor is ready, or its turn has come.
void loop::advance(operation &op) {
    if (op.waits_for == until::readable_carrier) return make_step(op);
    const std::uint64_t moved = op.moved;
    const outcome next = op.what->attempt == form::send_file ? attempt_sending(op) : attempt(op, world_);
    if (op.moved != moved) op.fruitless = 0;
    else if (next.waits_for == op.waits_for && ++op.fruitless > fruitless_max)
        return start_carrier(op); // ready for epoll, but not for the call: some sockets and devices are like that
    settle(op, next);
}

void loop::settle(operation &op, outcome next) {
    if (next.waits_for == until::nothing) return complete(op, next.result);
    op.waits_for = next.waits_for;
    place(op);
}

// Its result stands. Whoever waited behind it takes its turn in run_turns().
void loop::complete(operation &op, long result) {
    timers_.cancel(op);
    enter(op, state::done);
    op.result = result;
    release(op);
    if (op.what->attempt == form::send_many) world_.hints.note_room(op.descriptor, 0);
    if (op.what->replaces) forget_replaced(op.made.number, op.made.a); // perhaps it was waited for since it began
    operation *next[2];
    descriptors_.leave(op, next);
    for (operation *one : next)
        if (one != nullptr && !is_finishing_) turns_.push(*one);
    ready_.push(op);
    if (is_shared_ && !is_collecting_) ring_alarm();
}

// Those whose descriptor number came to mean another file while they waited. Before anybody else may end them.
void loop::end_stale() {
    while (operation *op = readiness_.stale().pop()) complete(*op, total(*op, -EBADF));
}

// One after another, not one within another: ten thousand calls may wait on one descriptor.
void loop::take_turns() {
    while (!turns_.empty() || !readiness_.stale().empty()) {
        end_stale();
        operation *op = turns_.pop();
        if (op == nullptr) continue;
        op->found_nothing = false; // if anything was asked, that is long ago
        start(*op);
    }
}

int loop::set_data(laio_handle_t handle, void *data) {
    operation *op = pool_.find(reinterpret_cast<std::uintptr_t>(handle));
    if (op == nullptr) return -EINVAL;
    op->data = data;
    return 0;
}

int loop::cancel(laio_handle_t handle) {
    operation *op = pool_.find(reinterpret_cast<std::uintptr_t>(handle));
    if (op == nullptr) return -EINVAL;
    cancel_operation(*op);
    run_turns();
    return 0;
}

void loop::cancel_operation(operation &op) {
    const long result = result_of_end(op);
    switch (op.now) {
    case state::waiting:
        if (op.crowd == in_crowd::waits) crowd_.remove(op);
        else readiness_.cancel(op);
        return complete(op, result);
    case state::queued:
        if (carriers_.cancel(op)) {
            end_step(op);
            return complete(op, result);
        }
        activation_.let_cancel_through(op);
        watch_cancels();
        return enter(op, state::cancelling);
    case state::running:
        come_home();
        if (ring_.cancel(op)) return complete(op, result);
        return enter(op, state::cancelling);
    default: return; // its end is near
    }
}

// close(2) ends what waits on the descriptor. From the last to the first, so that nobody's turn comes meanwhile.
void loop::before_close(int descriptor) {
    for (std::size_t way = 0; way < 3; ++way) {
        const descriptor_calls *calls = descriptors_.find(descriptor);
        if (calls == nullptr) return;
        for (membership *place = calls->last[way]; place != nullptr;) {
            membership *previous = place->previous;
            cancel_operation(*place->owner);
            place = previous;
        }
    }
    run_turns();
}

// dup2(2), dup3(2) and close_range(2) end nothing: what waits on the number finds out for itself.
void loop::forget_replaced(long number, const long *a) {
    if (number == SYS_close_range) {
        world_.hints.forget(static_cast<unsigned>(a[0]), static_cast<unsigned>(a[1]));
        return readiness_.forget(static_cast<unsigned>(a[0]), static_cast<unsigned>(a[1]));
    }
    world_.hints.forget(static_cast<int>(a[1]));
    readiness_.forget(static_cast<int>(a[1]));
}

} // namespace laio
