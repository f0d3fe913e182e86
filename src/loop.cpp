// Calls: from laio_syscall() to a result in place, or to an engine. What comes back is in loop_poll.cpp.
#include "loop.hpp"

#include "calls/transfer.hpp"
#include "engines/credentials.hpp"
#include "engines/members.hpp"
#include "kernel/clock.hpp"

#include <bit>
#include <cerrno>
#include <fcntl.h>
#include <utility>

namespace laio {
namespace {

constexpr long unlisted_max = 1024; // a kernel newer than the table may know calls up to here

// For numbers the table does not know, which a newer kernel may.
constexpr row unlisted{"?", route::queued, form::none, ring_operation::none, "", -1, false};

// fcntl(2) waits for locks only, or for the server that knows of them; setsockopt(2) never.
bool is_harmless_control(const row &what, const long *a) {
    if (what.attempt != form::control) return what.attempt == form::option;
    switch (static_cast<int>(a[1])) {
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW: return false;
    default: return true;
    }
}

// 0 for 0, and one more for each power of two.
unsigned bucket_of(std::uint64_t value) {
    const auto bits = static_cast<unsigned>(std::bit_width(value));
    return bits < LAIO_CLAIM_BUCKETS ? bits : LAIO_CLAIM_BUCKETS - 1;
}

// Whether it is complete with all of its bytes only. A write to a regular file is never made in two.
bool goes_on(const operation &op) {
    switch (op.what->attempt) {
    case form::write: return !op.positional;
    case form::send:
    case form::send_file: return true;
    case form::receive: return (message_flags(op) & MSG_WAITALL) != 0;
    default: return false;
    }
}

// LAIO_COST_BUCKET_NS the other way round: the highest bit says which four, the two below it which of them.
unsigned cost_bucket_of(std::uint64_t ns) {
    if (ns < LAIO_COST_BUCKET_NS(0)) return 0;
    const auto highest = static_cast<unsigned>(std::bit_width(ns)) - 1;
    const unsigned bucket = 4 * (highest - 4) + static_cast<unsigned>((ns >> (highest - 2)) & 3U);
    return bucket < LAIO_COST_BUCKETS ? bucket : LAIO_COST_BUCKETS - 1;
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
    if (const int r = readiness_.open(timers_.descriptor(), (options_.flags & LAIO_CLOSES_TOLD) != 0); r < 0) return r;
    if (const int r = carriers_.open(options_, readiness_.alarm()); r < 0) return r;
    const int r = (options_.forbid & LAIO_FORBID_RING) != 0 ? -ECANCELED : ring_.open(options_, readiness_.alarm());
    ring_errno_ = -r;
    world_.has_ring = r == 0;
    world_.sockets_in_ring = world_.has_ring && (options_.flags & LAIO_SOCKETS_IN_RING) != 0;
    activations_errno_ = (options_.forbid & LAIO_FORBID_ACTIVATIONS) != 0 ? ECANCELED : -activation::register_process();
    world_.remembers_room = (options_.flags & LAIO_CLOSES_TOLD) != 0 && !world_.sockets_in_ring;
    world_.assumes_blocking = (options_.flags & LAIO_ASSUME_BLOCKING) != 0;
    if (!world_.has.attempts && world_.assumes_blocking) choices_.drop_attempts_of_reads();
    spare_ = pool_.take();
    return spare_ != nullptr ? 0 : -ENOMEM;
}

long loop::dispatch(const row &what, long number, const long *a) {
    if (what.way == route::home) return make_at_home(number, a);
    if (what.attempt == form::option) world_.hints.forget(static_cast<int>(a[0]));
    if (what.replaces) forget_replaced(number, a);
    if (what.way == route::direct || is_harmless_control(what, a))
        return system_call(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    operation &op = *spare_;
    prepare(op, what, number, a);
    if (what.way == route::attempt) return attempt_call(op);
    return what.way == route::activation ? activate(op) : background(op, until::carrier);
}

// What the application drops here, our threads drop too: it may be carried by any of them.
long loop::make_at_home(long number, const long *a) {
    come_home();
    const long result = system_call(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (result >= 0 && changes_credentials(number, a)) make_everywhere(&carriers_, number, a);
    return result;
}

long loop::make(long number, const long *arguments) {
    latest_ = nullptr;
    const row *what = find_row(number);
    if (what == nullptr) {
        if (number < 0 || number >= unlisted_max) return -ENOSYS;
        what = &unlisted;
    }
    ++calls_[static_cast<unsigned>(what->way)];
    return tick_ % sampling == 0 ? make_timed(*what, number, arguments) : dispatch(*what, number, arguments);
}

long loop::make_timed(const row &what, long number, const long *arguments) {
    const auto way = static_cast<unsigned>(what.way);
    const std::uint64_t claims = activation_.claims();
    const std::int64_t began_ns = now_ns();
    const long result = dispatch(what, number, arguments);
    const auto took_ns = static_cast<std::uint64_t>(now_ns() - began_ns);
    ++routes_[way].sampled;
    routes_[way].sampled_ns += took_ns;
    ++costs_by_ns_[way][cost_bucket_of(took_ns)];
    if (activation_.claims() != claims) ++claims_by_us_[bucket_of(took_ns / 1000)];
    return result;
}

long loop::attempt_call(operation &op) {
    if (op.what->attempt == form::close) {
        before_close(op.descriptor);
        readiness_.forget(op.descriptor);
        world_.hints.note_room(op.descriptor, 0);
    }
    if (descriptors_.is_busy(*op.what, op.made) && !never_waits(op, world_)) return background(op, until::nothing);
    if (may_choose(op.what->attempt) && is_chosen(op.what->attempt, op.made.a[0])) return activate(op);
    const outcome next = may_skip_attempt(op) ? blocked(until::readable) : make_attempt(op);
    if (next.waits_for == until::carrier && !op.absent) return activate(op);
    if (next.waits_for != until::nothing) return background(op, next.waits_for);
    release(op);
    return next.result;
}

// Reads are not worth the threads of an activation by themselves: with threads in the process each of its calls that is given
// a descriptor costs 30 ns more, as much as a read in place saves.
bool loop::may_choose(form attempt) const {
    return activations_errno_ == 0 && (attempt != form::read || activation_.is_open() || !world_.has.attempts);
}

outcome loop::make_attempt(operation &op) {
    if (op.what->attempt == form::send_file) return attempt_sending(op);
    const outcome next = attempt(op, world_);
    const file_kind kind = world_.hints.kind(op.descriptor);
    if (kind == file_kind::unknown && op.what->attempt == form::read && next.waits_for == until::nothing &&
        activation_.is_open())
        learn_kind(op.descriptor);
    choice *which = choices_.of(op.what->attempt, kind);
    if (which != nullptr) which->note_attempt(next.waits_for != until::nothing, tick_);
    return next;
}

// Each step of a sendfile(2) asks for its bytes, while that pays: decision 0024.
outcome loop::attempt_sending(operation &op) {
    op.looks = !choices_.sending().is_in_place();
    return note_look(op, attempt(op, world_));
}

outcome loop::note_look(operation &op, outcome next) {
    if (op.looked) choices_.sending().note_attempt(op.absent, tick_);
    op.looked = false;
    return next;
}

// One that was made in place was left behind there.
void loop::note_missed(const operation &op) {
    if (op.what->attempt != form::send_file || !may_look(op)) return;
    choice &sending = choices_.sending();
    if (sending.is_in_place()) sending.note_blocked_in_place(tick_);
    else sending.note_attempt(true, tick_);
}

// A read that has all it wants leaves unknown what it read from, which is looked at now and then: the next ones may choose.
void loop::learn_kind(int descriptor) {
    constexpr unsigned looks = 32; // one in so many is worth it
    if (++unknown_reads_ % looks == 0) world_.kind_of(descriptor);
}

// At the first call that needs them: they take threads.
bool loop::open_activations() {
    if (activations_errno_ == 0) activations_errno_ = -activation_.open(options_, carriers_);
    set_spare(spare_);
    world_.makes_in_place = activations_errno_ == 0;
    if (world_.makes_in_place && world_.waits_in_epoll) withdraw_accepts();
    return activations_errno_ == 0;
}

// Everything that a call which blocks will need. The ring belongs to the thread that is home, which may not block while
// the ring has requests in flight: then the application leaves first.
bool loop::may_activate(const operation &op) {
    if (!activation_.is_open() && !open_activations()) return false; // not at all, in this loop
    if (descriptors_.is_busy(*op.what, op.made)) return false;
    if (reserve_ == nullptr && outstanding_ < options_.operations_max) reserve_ = pool_.take();
    if (reserve_ == nullptr) return false;
    if (!ring_.is_idle() && !activation_.is_away() && !activation_.leave_home()) return false;
    return activation_.has_spare() || activation_.provide_spare();
}

// It has no non-blocking form, or none that helps here. What is left to do when a step of it is over may be another step.
// Copies are made before: there is nobody to make them once it blocks.
long loop::activate(operation &op) {
    outcome next = blocked(until::carrier);
    while (next.waits_for == until::carrier) {
        if (op.absent || crowd_.must_wait(op) || !may_activate(op)) return background(op, until::carrier);
        if (capture(op) != 0) {
            release(op);
            return total(op, -ENOMEM);
        }
        const call rest = rest_as_call(op);
        long result = 0;
        if (!activation_.make(rest.number, rest.a, result)) return claimed(op);
        next = step_made(op, result);
    }
    if (next.waits_for != until::nothing) return background(op, next.waits_for);
    write_back(op);
    release(op);
    return next.result;
}

// Somebody who may block has made what is left of the call, or a step of it. What was interrupted there on the way, by work
// that the kernel or we had in that thread, goes on.
outcome loop::step_made(operation &op, long result) {
    if (op.step > 0 || (result > 0 && op.now != state::free && goes_on(op))) {
        op.looks = !choices_.sending().is_in_place();
        return note_look(op, account(op, world_, result));
    }
    const bool moves = op.what->attempt != form::none; // of the others nothing can have moved before
    return done(moves ? total(op, result) : result);
}

long loop::claimed_in_place(long number, const long *arguments) {
    operation &op = *spare_;
    prepare(op, *find_row(number), number, arguments);
    op.positional = op.what->attempt == form::read && world_.hints.kind(op.descriptor) != file_kind::pipe;
    return claimed(op);
}

// Where a call in place blocks, its thread goes on with the operation that was the spare one when the call was made.
void loop::set_spare(operation *op) {
    spare_ = op;
    activation_.set_operation(*op);
}

// Another thread carries us now; the one that made the call will hand it in.
long loop::claimed(operation &op) {
    activation_.note_runner(op);
    crowd_.began(op);
    choice *which = choices_.of(op.what->attempt, world_.hints.kind(op.descriptor));
    if (which != nullptr) which->note_blocked_in_place(tick_);
    note_missed(op);
    note_source(op);
    if (op.made.number == SYS_sendfile && op.moved + op.step < op.wanted) hold_file(op); // for the steps after this one
    if (op.what->attempt == form::read) world_.hints.forget(op.descriptor); // perhaps it is not what it was
    set_spare(reserve_);
    reserve_ = outstanding_ + 1 < options_.operations_max ? pool_.take() : nullptr;
    if (++outstanding_ > outstanding_peak_) outstanding_peak_ = outstanding_;
    enter(op, state::waiting);
    enter(op, state::queued);
    descriptors_.join(op);
    latest_ = as_handle(pool_.handle_of(op));
    ++routes_[static_cast<unsigned>(op.what->way)].blocked;
    activation_.provide_spare();
    return -EINPROGRESS;
}

// The ring is home's alone, and so is what a call of the home route is about.
void loop::come_home() {
    if (activation_.is_away()) activation_.go_home();
}

// The ring makes an attempt of its own before it waits, and gives the result at once where there is one. Where the last
// call had to wait, it would only be made twice. But the ring would wait in spite of O_NONBLOCK.
bool loop::may_skip_attempt(const operation &op) const {
    return world_.leaves_attempts_to_ring() && world_.hints.of(op.descriptor).waited && is_plain_input(op);
}

// An operation for the next call, while this one goes to the background. The reserve only when there is no other: calls in
// place need it to be there.
operation *loop::take_spare() {
    if (outstanding_ >= options_.operations_max) return nullptr;
    operation *spare = pool_.take();
    return spare != nullptr ? spare : std::exchange(reserve_, nullptr);
}

// The call would block (or wait for its turn: until::nothing). -EINPROGRESS, unless it ends here after all.
long loop::background(operation &op, until waits_for) {
    operation *spare = take_spare();
    note_source(op);
    if (spare == nullptr || capture(op) != 0 || !descriptors_.join(op)) {
        if (spare != nullptr) pool_.give_back(*spare);
        release(op);
        return total(op, -ENOMEM);
    }
    set_spare(spare);
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
    ++routes_[static_cast<unsigned>(op.what->way)].blocked;
    return -EINPROGRESS;
}

} // namespace laio
