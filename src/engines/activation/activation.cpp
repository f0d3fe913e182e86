#include "engines/activation/activation.hpp"

#include "engines/activation/guest_thread.hpp"
#include "engines/activation/likeness.hpp"
#include "engines/push.hpp"
#include "kernel/futex.hpp"
#include "kernel/interruptible.hpp"
#include "kernel/system_call.hpp"

#include <cerrno>
#include <csignal>
#include <ctime>
#include <linux/membarrier.h>

namespace laio {

constinit thread_local guest *laio_running = nullptr;

namespace {

extern "C" {
[[noreturn]] void laio_activation_resume(guest *from);
void laio_activation_leave(guest *from, void (*then)(guest *));
[[noreturn]] void laio_activation_end(guest *);
[[gnu::visibility("hidden"), gnu::used]] void laio_activation_lost(guest *me) { me->of->lost(*me); }
[[gnu::visibility("hidden"), gnu::used]] void laio_activation_wake(guest *me) { me->of->wake_watchers(); }
}

// The call's SIGPIPE went to the thread that was left behind, and its result will see to another one.
void take_back_sigpipe() {
    const std::uint64_t only = bit_of_signal(SIGPIPE);
    const timespec at_once{};
    system_call(SYS_rt_sigtimedwait, word(&only), 0, word(&at_once), sizeof only);
}

// The alternate stack that the application gave to a carrier is its own, and not for two threads at once.
void drop_alternate_stack() {
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    system_call(SYS_sigaltstack, word(&none), 0);
}

} // namespace

// Of one that carries nobody.
std::uint64_t activation::closed_signals() const { return all_signals & ~bit_of_signal(results_->cancel_signal()); }

// Only the application takes from those at rest, so the first one cannot come back meanwhile. One that has ended by itself
// is still in the list.
guest *activation::pop_rested() {
    for (;;) {
        guest *one = resting_.load(std::memory_order_acquire);
        while (one != nullptr && !resting_.compare_exchange_weak(one, one->next, std::memory_order_acquire)) {}
        whereabouts found = whereabouts::at_rest;
        if (one == nullptr || one->is.compare_exchange_strong(found, whereabouts::busy)) return one;
        one->is.store(whereabouts::to_be_freed);
    }
}

guest *activation::take_rested() {
    guest *one = pop_rested();
    return one != nullptr ? one : make_guest();
}

bool activation::provide_spare() {
    guest *one = take_rested();
    if (one == nullptr) return false;
    guest *none = nullptr;
    if (!spare_.compare_exchange_strong(none, one)) { // one came back by itself
        put_at_rest(*one);
        send(*one, errand::rest); // from now on it may end
    }
    return true;
}

// A guest, or the application for it.
void activation::put_at_rest(guest &one) {
    one.is.store(whereabouts::at_rest);
    push(resting_, one, &guest::next);
}

// Watchers.
bool activation::wake_spare(guest &of, std::uint64_t word_seen, const thread_status &status) {
    if (of.alone.load(std::memory_order_relaxed) == word_seen || of.claim.load() >= word_seen) return false;
    guest *one = spare_.exchange(nullptr, std::memory_order_acquire);
    if (one == nullptr) return false;
    one->from = &of;
    one->from_word = word_seen;
    one->from_status = status;
    claiming_.fetch_add(1);
    send(*one, errand::claim);
    return true;
}

// Watchers.
bool activation::shows_blocked(const thread_status &status) const {
    return shows_blocked_call(status, closed_signals(), signals_blocked_);
}

// A guest.
void activation::carry(guest &me) {
    *running_ = &me;
    me.has_carried = true;
    me.op = me.from->op;
    watchers_.watch(me);
    me.membership->stack_top.store(reinterpret_cast<std::uintptr_t>(me.own_sp));
    looks_after_itself(*me.membership, false);
    laio_activation_resume(me.from);
}

void activation::open_signals() { set_mask(laio_running->mask); }

// By the one that the application leaves by itself.
void activation::close_signals(guest &from, guest &to) {
    to.mask = set_mask(all_signals);
    looks_after_itself(*from.membership, true);
    if (&from != &home_) drop_alternate_stack();
    know_oneself(from);
}

// Whether the call of that word is the caller's now. False: it is over, or another claims a later one.
bool activation::wins(guest &from, std::uint64_t of_word) {
    std::uint64_t seen = from.claim.load();
    do
        if (seen >= of_word) return false;
    while (!from.claim.compare_exchange_weak(seen, of_word));
    system_call(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0);
    // Not confirmed, it stays where it is: the one that made the call may have seen it, and withdraws it itself then.
    std::uint64_t mine = of_word;
    return from.word.load() == of_word && from.claim.compare_exchange_strong(mine, of_word + confirmed);
}

// A guest. False: the call is over, or this thread would let the application do more than it may, or less.
bool activation::take_over(guest &me) {
    guest &from = *me.from;
    thread_status &seen = me.from_status;
    const likeness is = match(me, from, seen);
    if (seen.state != '\0') catches_.store(catches_any(seen, closed_signals()), std::memory_order_relaxed);
    if (is == likeness::never) from.alone.store(me.from_word);
    if (is != likeness::same || !wins(from, me.from_word)) return false;
    from.known = seen.may; // the application may have changed it
    me.mask = seen.blocked;
    const std::uint64_t closed = closed_signals();
    if (signals_blocked_ && !is_told(seen)) return true;
    if (!handles_nothing(seen, from, closed)) {
        close_mask(*from.membership, closed, from, is_deaf, me.mask);
        return true;
    }
    me.mask = from.left_mask = seen.blocked;
    open_.fetch_add(1);
    from.is_open.store(true);
    return true;
}

// A guest.
void activation::claim(guest &me) {
    guest &from = *me.from;
    if (!take_over(me)) {
        claiming_.fetch_sub(1);
        spurious_.fetch_add(1, std::memory_order_relaxed);
        guest *none = nullptr;
        if (!spare_.compare_exchange_strong(none, &me)) put_at_rest(me);
        return;
    }
    claims_.fetch_add(1, std::memory_order_relaxed);
    if (&from == &home_) ++claims_from_home_;
    left_ = &from;
    carry(me);
}

// A guest, to which the application comes by itself. One that may not what it may sends it back home.
void activation::resume(guest &me) {
    const guest &from = *me.from;
    const bool may_differ = from.membership->changed.load() || me.membership->changed.load() || from.known != me.known;
    thread_status seen{};
    if (!may_differ || match(me, from, seen) == likeness::same || &me == &home_) carry(me);
    home_rests_.store(false);
    home_.from = me.from;
    home_.mask = me.mask;
    put_at_rest(me);
    send(home_, errand::resume);
}

// A guest.
void activation::rest(guest &me) {
    for (;;) {
        switch (await(me)) {
        case errand::claim: claim(me); break;
        case errand::resume: resume(me); break;
        case errand::help: help(me); break;
        case errand::end: laio_activation_end(&me);
        case errand::rest:
        case errand::none: break;
        }
    }
}

// A guest.
void activation::lost(guest &me) {
    begin_to_look_after_itself(*me.membership);
    tell_mask(*me.membership, set_mask(closed_signals()));
    looks_after_itself(*me.membership, true); // the application may go on
    if (me.is_open.exchange(false)) open_.fetch_sub(1);
    if (&me != &home_) drop_alternate_stack();
    operation &op = *me.op;
    const auto *cancelled = reinterpret_cast<const int *>(&op.cancelled);
    long r = settled(me.made.number, me.result);
    // by a signal, or by work that the kernel has in this thread: nobody is here any more who would want to know
    while (r == -EINTR && op.cancelled.load() == 0)
        r = settled(me.made.number, laio_interruptible_call(cancelled, me.made.number, me.made.a));
    me.membership->held.let_go();
    op.runner.store(-1);
    op.result = r == -EINTR ? -ECANCELED : r;
    if (r == -EPIPE) take_back_sigpipe();
    if (&me == &home_) home_rests_.store(true);
    results_->hand_in(op);
    if (&me != &home_) help(me);
    rest(me);
}

// A guest.
void activation::help(guest &me) {
    set_mask(closed_signals()); // those that left the application block it too
    while (results_->help()) {}
    put_at_rest(me);
}

void activation::send_help() {
    if (guest *one = pop_rested(); one != nullptr) send(*one, errand::help);
}

void activation::note_runner(operation &op) {
    left_->membership->held.hold(op.made.number, static_cast<int>(op.made.a[0]));
    int none = 0;
    op.runner.compare_exchange_strong(none, left_->tid.load()); // unless the call is over
    claiming_.fetch_sub(1);
}

// Of home and all others whom `which` chooses; none of them leaves its membership to another thread meanwhile.
template <class predicate> void activation::ask_for_masks(predicate which) {
    if (!is_open()) return;
    is_asking_.store(true);
    for (guest *one = &home_; one != nullptr; one = one == &home_ ? made_ : one->next_made)
        if (which(*one)) ask_for_mask(*one->membership, closed_signals());
    is_asking_.store(false);
}

void activation::let_cancel_through(const operation &op) {
    const int runner = op.runner.load();
    if (runner <= 0) return; // nobody yet, or nobody any more
    ask_for_masks([runner](const guest &one) { return one.tid.load() == runner; });
}

void activation::close_open() {
    std::uint64_t mask = 0;
    system_call(SYS_rt_sigprocmask, SIG_BLOCK, 0, word(&mask), sizeof mask);
    ask_for_masks([this, mask](guest &one) {
        if (!one.is_open.load() || (mask & ~one.left_mask) == 0 || !one.is_open.exchange(false)) return false;
        open_.fetch_sub(1);
        return true;
    });
}

bool activation::leave_home() {
    guest *to = spare_.exchange(nullptr, std::memory_order_acquire);
    if (to == nullptr) to = take_rested();
    if (to == nullptr) return false;
    ++leaves_;
    to->from = &home_;
    home_.next = to;
    laio_activation_leave(&home_, [](guest *home) {
        guest &next = *home->next;
        home->of->close_signals(*home, next);
        home->of->home_rests_.store(true);
        send(next, errand::resume);
        home->of->rest(*home);
    });
    open_signals();
    return laio_running != &home_;
}

bool activation::go_home() {
    if (laio_running == &home_) return true;
    if (!home_rests_.load()) return false;
    home_rests_.store(false);
    ++trips_home_;
    home_.from = laio_running;
    laio_activation_leave(laio_running, [](guest *from) {
        activation &its = *from->of;
        its.close_signals(*from, its.home_);
        send(its.home_, errand::resume);
        its.help(*from);
        its.rest(*from);
    });
    open_signals();
    return true;
}

void activation::count(struct laio_stats &stats) const {
    stats.claims_by_sentinel = watchers_.seen_by_sentinel();
    stats.claims_by_watchdog = watchers_.seen_by_watchdog();
    stats.claims = claims_.load();
    stats.claims_spurious = spurious_.load();
    stats.trips_away = leaves_ + claims_from_home_;
    stats.trips_home = trips_home_;
}

} // namespace laio
