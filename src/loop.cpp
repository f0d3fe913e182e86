// Calls: from laio_syscall() to a result in place, or to an engine. What comes back is in loop_poll.cpp.
#include "loop.hpp"

#include "calls/transfer.hpp"
#include "kernel/clock.hpp"

#include <cerrno>
#include <fcntl.h>

namespace laio {
namespace {

constexpr unsigned sampling = 64; // one call in so many is timed: two looks at the clock cost as much as a small call
constexpr std::uint8_t fruitless_max = 16;
constexpr long unlisted_max = 1024; // a kernel newer than the table may know calls up to here

// For numbers the table does not know, which a newer kernel may.
constexpr row unlisted{"?", route::queued, form::none, ring_operation::none, "", -1, false};

// The route that a call takes: in this version there are no activations.
constexpr unsigned route_taken(const row &what) {
    return static_cast<unsigned>(what.way == route::activation ? route::queued : what.way);
}

// fcntl(2) waits for locks only.
bool is_harmless_control(const row &what, const long *a) {
    const int command = static_cast<int>(a[1]);
    return what.attempt == form::control && command != F_SETLKW && command != F_OFD_SETLKW;
}

laio_handle_t as_handle(std::uintptr_t number) { return reinterpret_cast<laio_handle_t>(number); }

} // namespace

loop::loop(const laio_options &options)
    : options_(options), pool_(options.operations_max + 1) {} // and one to attempt with

loop::~loop() = default;

int loop::open() {
    world_.has = ask_features(options_.forbid);
    world_.waits_in_epoll = (options_.forbid & LAIO_FORBID_READINESS) == 0;
    if (const int r = timers_.open(); r < 0) return r;
    if (const int r = readiness_.open(timers_.descriptor()); r < 0) return r;
    if (const int r = carriers_.open(options_, readiness_.alarm()); r < 0) return r;
    const int r = (options_.forbid & LAIO_FORBID_RING) != 0 ? -ECANCELED : ring_.open(options_, readiness_.alarm());
    ring_errno_ = -r;
    world_.has_ring = r == 0;
    world_.sockets_in_ring = world_.has_ring && (options_.flags & LAIO_SOCKETS_IN_RING) != 0;
    world_.assumes_blocking = (options_.flags & LAIO_ASSUME_BLOCKING) != 0;
    spare_ = pool_.take();
    return spare_ != nullptr ? 0 : -ENOMEM;
}

inline long loop::dispatch(const row &what, long number, const long *a) {
    if (what.way == route::direct || what.way == route::home || is_harmless_control(what, a))
        return system_call(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    operation &op = *spare_;
    prepare(op, what, number, a);
    if (what.way == route::attempt) return attempt_call(op);
    return background(op, until::carrier);
}

long loop::make(long number, const long *arguments) {
    latest_ = nullptr;
    const row *what = find_row(number);
    if (what == nullptr) {
        if (number < 0 || number >= unlisted_max) return -ENOSYS;
        what = &unlisted;
    }
    ++routes_[route_taken(*what)].calls;
    if ((++tick_ % sampling) == 0) [[unlikely]]
        return make_timed(*what, number, arguments);
    return dispatch(*what, number, arguments);
}

// Apart, so that the calls that are not timed do not pay for its registers.
[[gnu::noinline]] long loop::make_timed(const row &what, long number, const long *arguments) {
    laio_route_stats &route_stats = routes_[route_taken(what)];
    const std::int64_t began_ns = now_ns();
    const long result = dispatch(what, number, arguments);
    ++route_stats.sampled;
    route_stats.sampled_ns += static_cast<std::uint64_t>(now_ns() - began_ns);
    return result;
}

long loop::attempt_call(operation &op) {
    if (op.what->attempt == form::close) before_close(op.descriptor);
    if (descriptors_.is_busy(*op.what, op.made) && !never_waits(op, world_)) return background(op, until::nothing);
    const outcome next = may_skip_attempt(op) ? blocked(until::readable) : attempt(op, world_);
    if (next.waits_for != until::nothing) return background(op, next.waits_for);
    release(op);
    return next.result;
}

// The ring makes an attempt of its own before it waits, and gives the result at once where there is one. Where the last
// call had to wait, it would only be made twice. But the ring would wait in spite of O_NONBLOCK.
bool loop::may_skip_attempt(const operation &op) const {
    return world_.leaves_attempts_to_ring() && world_.hints.of(op.descriptor).waited && is_plain_input(op);
}

// The call would block (or wait for its turn: until::nothing). -EINPROGRESS, unless it ends here after all.
long loop::background(operation &op, until waits_for) {
    operation *spare = outstanding_ < options_.operations_max ? pool_.take() : nullptr;
    if (spare == nullptr || capture(op) != 0 || !descriptors_.join(op)) {
        if (spare != nullptr) pool_.give_back(*spare);
        release(op);
        return total(op, -ENOMEM);
    }
    spare_ = spare;
    if (++outstanding_ > outstanding_peak_) outstanding_peak_ = outstanding_;
    enter(op, state::waiting);
    op.waits_for = waits_for;
    if (descriptors::is_first(op)) start(op);
    run_turns();
    if (world_.leaves_attempts_to_ring() && waits_for == until::readable)
        world_.hints.note_waited(op.descriptor, op.now == state::running);
    if (op.now == state::done) { // the ring had it at once, or nobody can make it
        ready_.remove(op);
        return retire(op);
    }
    latest_ = as_handle(pool_.handle_of(op));
    ++routes_[route_taken(*op.what)].blocked;
    return -EINPROGRESS;
}

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
    case until::carrier: start_carrier(op); return;
    case until::time: break;
    }
    if (timers_.start(op) != 0) start_carrier(op);
}

void loop::start_waiting(operation &op) {
    if (world_.sockets_in_ring && (op.waits_for == until::readable || op.waits_for == until::writable) &&
        op.own_descriptor < 0) {
        if (!set_deadline(op)) return start_carrier(op);
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
    if (set_deadline(op)) return;
    readiness_.cancel(op);
    start_carrier(op);
}

// The time-outs that a socket has of itself; those of poll(2) and its kin are set already. False: no memory.
bool loop::set_deadline(operation &op) {
    if (op.deadline_ns == 0 && waits_for_peer(op.what->attempt)) {
        file_kind kind = world_.hints.kind(op.descriptor);
        if (kind == file_kind::unknown) {
            file_identity file{};
            if (identify(op.descriptor, file) == 0) world_.hints.note(op.descriptor, kind = file.kind);
        }
        const int option = op.waits_for == until::writable ? SO_SNDTIMEO : SO_RCVTIMEO;
        const std::int64_t timeout = kind == file_kind::socket ? socket_timeout_ns(op.descriptor, option) : 0;
        op.deadline_ns = timeout > 0 ? now_ns() + timeout : -1;
    }
    return op.deadline_ns <= 0 || op.timer_place != 0 || timers_.start(op) == 0;
}

void loop::start_ring(operation &op) {
    if (world_.has_ring && submit(op)) return;
    if (op.what->attempt != form::accept) return start_carrier(op);
    op.waits_for = until::readable_carrier;
    start_waiting(op);
}

// False: the ring cannot make this call.
bool loop::submit(operation &op) {
    if (ring_.start(op) < 0) return false;
    enter(op, state::running);
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
    if (waits_for_peer(op.what->attempt)) hold_file(op);
    enter(op, state::queued);
    if (const int r = carriers_.start(op); r < 0) return complete(op, total(op, r));
    watch_queue();
}

// There is something to do for it: its descriptor is ready, or its turn has come.
void loop::advance(operation &op) {
    if (op.waits_for == until::readable_carrier) return start_carrier(op);
    const std::uint64_t moved = op.moved;
    const outcome next = attempt(op, world_);
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
void loop::run_turns() {
    while (!turns_.empty() || !readiness_.stale().empty()) {
        end_stale();
        if (operation *op = turns_.pop()) start(*op);
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
    case state::waiting: readiness_.cancel(op); return complete(op, result);
    case state::queued:
        if (carriers_.cancel(op)) return complete(op, result);
        return enter(op, state::cancelling);
    case state::running:
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

} // namespace laio
