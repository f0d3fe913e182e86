// Completions: from the engines to laio_poll(), and the end of a loop. How they got there is in loop.cpp.
#include "loop.hpp"

#include "calls/transfer.hpp"
#include "kernel/clock.hpp"

#include <cerrno>
#include <csignal>
#include <unistd.h>

namespace laio {
namespace {

constexpr std::int64_t stall_ns = 10'000'000;
constexpr std::int64_t cancel_again_ns = 5'000'000;
constexpr std::int64_t second_ns = 1'000'000'000;

bool is_valid(const timespec &time) { return time.tv_sec >= 0 && time.tv_nsec >= 0 && time.tv_nsec < second_ns; }

laio_route_stats sum(const laio_route_stats &a, const laio_route_stats &b) {
    return {a.calls + b.calls, a.blocked + b.blocked, a.sampled + b.sampled, a.sampled_ns + b.sampled_ns};
}

// Calls that send SIGPIPE to the thread that makes them.
bool sends_sigpipe(const operation &op) {
    switch (op.what->attempt) {
    case form::write: return true;
    case form::send:
    case form::send_many: return (message_flags(op) & MSG_NOSIGNAL) == 0;
    default: break;
    }
    const long n = op.made.number;
    return n == SYS_sendfile || n == SYS_splice || n == SYS_tee || n == SYS_vmsplice;
}

// Somebody else made the call, so the signal went to nobody.
void pass_on_sigpipe(const operation &op, long result) {
    if (result == -EPIPE && sends_sigpipe(op)) system_call(SYS_tgkill, getpid(), system_call(SYS_gettid), SIGPIPE);
}

} // namespace

void loop::collect_readiness() {
    operation_list ready;
    readiness_.collect(ready);
    while (operation *op = ready.pop()) {
        ++retries_;
        advance(*op);
    }
}

void loop::collect_ring() {
    operation_list complete_ones;
    ring_.collect(complete_ones);
    while (operation *op = complete_ones.pop()) {
        if (op->result == -EPIPE && op->what->attempt == form::send) pass_on_sigpipe(*op, op->result);
        const bool is_cancelled = op->now == state::cancelling;
        if (op->result == -ECANCELED && is_cancelled) {
            complete(*op, result_of_end(*op));
            continue;
        }
        const bool again = op->result == -EINTR;
        const bool refused = op->result == -EAGAIN; // a file that it cannot wait for
        const bool is_withdrawn = op->result == -ECANCELED && op->what->attempt == form::accept;
        if (is_withdrawn) op->waits_for = until::readable_carrier;
        const outcome next =
            again || refused || is_withdrawn ? blocked(op->waits_for) : account(*op, world_, op->result);
        if (next.waits_for == until::nothing) {
            write_back(*op);
            complete(*op, next.result);
        } else if (is_cancelled) {
            complete(*op, result_of_end(*op));
        } else {
            enter(*op, state::waiting);
            op->waits_for = refused ? until::carrier : next.waits_for;
            place(*op);
        }
    }
}

void loop::collect_carriers() {
    operation_list handed_in;
    carriers_.collect(handed_in);
    while (operation *op = handed_in.pop()) {
        pass_on_sigpipe(*op, op->result);
        if (op->result >= 0) write_back(*op);
        const bool is_cancelled = op->now == state::cancelling;
        end_step(*op);
        const outcome next = step_made(*op, op->result);
        if (next.waits_for == until::nothing) {
            complete(*op, next.result);
        } else if (is_cancelled) {
            complete(*op, result_of_end(*op));
        } else {
            enter(*op, state::waiting);
            op->runner.store(0, std::memory_order_relaxed);
            settle(*op, next);
        }
    }
}

void loop::collect_timers() {
    while (operation *op = timers_.take_expired()) {
        if (op == &queue_timer_) {
            watch_queue(carriers_.look_at_queue());
        } else if (op == &cancel_timer_) {
            repeat_cancels();
        } else if (op->waits_for == until::time) {
            complete(*op, 0);
        } else if (op->what->attempt == form::poll || op->what->attempt == form::events) {
            readiness_.cancel(*op);
            advance(*op); // one last look; then its time is over
        } else {
            op->timed_out = true;
            cancel_operation(*op);
        }
    }
}

// Takes what the engines have, without waiting and, mostly, without a system call.
[[gnu::always_inline]] inline void loop::collect() {
    is_collecting_ = true;
    if (readiness_.has_found()) collect_readiness();
    if (!ring_.is_idle()) collect_ring();
    if (carriers_.has_handed_in()) collect_carriers();
    end_stale();
    if (!timers_.is_empty()) collect_timers();
    run_turns();
    is_collecting_ = false;
}

// In the ring itself where only it can wake us, which saves a system call; else in epoll, which hears of everything, and
// takes back what our descriptor tells another loop.
[[gnu::always_inline]] inline int loop::sleep(const timespec *timeout) {
    if (!ring_.is_idle()) {
        if (!is_shared_ && ring_.in_flight() == outstanding_ && timers_.is_empty()) {
            const int r = ring_.sleep(timeout);
            return r == -EINTR ? r : 0;
        }
        ring_.submit();
        ring_.set_alarm(true);
        if (ring_.has_complete()) return 0;
    }
    has_rung_ = false;
    const int r = readiness_.sleep(timeout);
    ring_.set_alarm(is_shared_);
    return r;
}

int loop::poll(laio_completion *completions, int length, const timespec *timeout) {
    if (completions == nullptr) return -EFAULT;
    if (length < 1 || (timeout != nullptr && !is_valid(*timeout))) return -EINVAL;
    ++polls_;
    note_turn();
    come_home();
    activation_.follow_mask();
    if (ready_.empty()) collect();
    std::int64_t end_ns = 0;
    timespec left{};
    while (ready_.empty()) {
        if (outstanding_ == 0 && timeout == nullptr) return -EDEADLK;
        if (timeout != nullptr) {
            const bool at_once = timeout->tv_sec == 0 && timeout->tv_nsec == 0;
            const std::int64_t now = at_once ? 0 : now_ns();
            constexpr std::int64_t seconds_max = 4'000'000'000;
            const std::int64_t seconds = timeout->tv_sec < seconds_max ? timeout->tv_sec : seconds_max;
            if (end_ns == 0) end_ns = at_once ? 0 : now + seconds * second_ns + timeout->tv_nsec;
            const std::int64_t left_ns = end_ns > now ? end_ns - now : 0;
            left = {left_ns / second_ns, left_ns % second_ns};
        }
        const int r = sleep(timeout != nullptr ? &left : nullptr);
        turn_began_ns_ = now_ns(CLOCK_MONOTONIC_COARSE);
        collect();
        if (!ready_.empty()) break;
        if (r == -EINTR) return r;
        if (timeout != nullptr && left.tv_sec == 0 && left.tv_nsec == 0 && !readiness_.take_fullness()) return 0;
    }
    return hand_over(completions, length);
}

int loop::hand_over(laio_completion *completions, int length) {
    int count = 0;
    while (count < length && !ready_.empty()) {
        operation &op = *ready_.pop();
        laio_completion &to = completions[count++];
        to.laio_handle = reinterpret_cast<laio_handle_t>(pool_.handle_of(op));
        to.laio_data = op.data;
        if (to.laio_handle == latest_) latest_ = nullptr;
        const long result = retire(op);
        const bool failed = result < 0 && result >= -4095;
        to.laio_return_value = failed ? -1 : result;
        to.laio_errno = failed ? static_cast<int>(-result) : 0;
        ++completed_;
        if (result == -ECANCELED) ++cancelled_;
    }
    if (is_shared_ && !ready_.empty()) ring_alarm(); // somebody may wait on our descriptor for the rest
    return count;
}

// It has been handed over: its memory and its handle are free.
long loop::retire(operation &op) {
    const long result = op.result;
    --outstanding_;
    enter(op, state::free);
    pool_.give_back(op);
    return result;
}

// Nobody will be handed it, nor a descriptor that it made.
void loop::drop(operation &op) {
    const bool opens = op.what->opens;
    if (const long result = retire(op); opens && result >= 0) system_call(SYS_close, result);
}

// A turn is the time in which nobody can sleep, from one poll's last sleep (or begin) to the next one's begin: the
// application's, and ours in its calls.
void loop::note_turn() {
    const std::int64_t began_ns = turn_began_ns_;
    turn_began_ns_ = now_ns(CLOCK_MONOTONIC_COARSE);
    const std::int64_t turn_ns = turn_began_ns_ - began_ns;
    if (began_ns == 0 || turn_ns < stall_ns) return;
    ++stalls_;
    if (turn_ns > stall_max_ns_) stall_max_ns_ = turn_ns;
}

void loop::ring_alarm() {
    if (has_rung_) return; // and nobody has looked since
    has_rung_ = true;
    const std::uint64_t one = 1;
    system_call(SYS_write, readiness_.alarm(), word(&one), sizeof one);
}

// When the carriers are all taken and calls queue, somebody has to look at the queue after a while.
void loop::watch_queue(std::int64_t in_ns) {
    if (queue_timer_.timer_place != 0) return;
    if (!carriers_.is_full()) return;
    queue_timer_.deadline_ns = now_ns() + in_ns;
    timers_.start(queue_timer_);
}

// One signal may be lost: while a handler of the application's runs on top of the call it only interrupts that.
void loop::watch_cancels() {
    if (cancel_timer_.timer_place != 0) return;
    cancel_timer_.deadline_ns = now_ns() + cancel_again_ns;
    timers_.start(cancel_timer_);
}

void loop::repeat_cancels() {
    bool any = false;
    pool_.for_each([&](operation &op) {
        if (op.now != state::cancelling || op.runner.load() <= 0) return;
        any = true;
        carriers_.cancel(op);
    });
    if (any) watch_cancels();
}

int loop::descriptor() {
    if (!is_shared_) {
        come_home();
        is_shared_ = true; // from now on nothing is left for poll() to submit
        if (world_.has_ring) ring_.submit();
        ring_.set_alarm(true);
        if (!ready_.empty() || (world_.has_ring && ring_.has_complete())) ring_alarm();
    }
    return readiness_.descriptor();
}

void loop::finish() {
    is_finishing_ = true;
    come_home();
    pool_.for_each([this](operation &op) { cancel_operation(op); });
    for (;;) {
        while (operation *op = ready_.pop()) drop(*op);
        if (outstanding_ == 0) break;
        sleep(nullptr);
        come_home();
        collect();
    }
    timers_.cancel(queue_timer_);
    timers_.cancel(cancel_timer_);
    come_home();
    if (activation_.is_open()) activation_.close();
    carriers_.stop();
}

void loop::abandon() {
    activation_.abandon();
    carriers_.abandon();
    pool_.for_each([](operation &op) { release(op); });
}

void loop::count(struct laio_stats &stats) {
    stats.engines = LAIO_ENGINE_CARRIERS | (world_.waits_in_epoll ? LAIO_ENGINE_READINESS : 0) |
                    (world_.has_ring ? LAIO_ENGINE_RING : 0) | (activations_errno_ == 0 ? LAIO_ENGINE_ACTIVATIONS : 0);
    stats.ring_errno = ring_errno_;
    stats.activations_errno = activations_errno_;
    for (unsigned i = 0; i < LAIO_ROUTES; ++i) {
        stats.routes[i] = routes_[i];
        stats.routes[i].calls = calls_[i];
    }
    if (activations_errno_ != 0) { // what needs one is queued then
        stats.routes[LAIO_ROUTE_QUEUED] = sum(stats.routes[LAIO_ROUTE_QUEUED], stats.routes[LAIO_ROUTE_ACTIVATION]);
        stats.routes[LAIO_ROUTE_ACTIVATION] = {};
    }
    for (unsigned i = 0; i < LAIO_CLAIM_BUCKETS; ++i) stats.claim_us[i] = claims_by_us_[i];
    for (unsigned i = 0; i < LAIO_ROUTES; ++i) {
        const bool is_queued = i == LAIO_ROUTE_ACTIVATION && activations_errno_ != 0;
        std::uint64_t *const costs = stats.cost_ns[is_queued ? static_cast<unsigned>(LAIO_ROUTE_QUEUED) : i];
        for (unsigned j = 0; j < LAIO_COST_BUCKETS; ++j) costs[j] += costs_by_ns_[i][j];
    }
    stats.outstanding = outstanding_;
    stats.outstanding_peak = outstanding_peak_;
    stats.completed = completed_;
    stats.cancelled = cancelled_;
    stats.readiness_waits = waits_;
    stats.readiness_retries = retries_;
    stats.ring_submitted = ring_.submitted();
    stats.ring_in_flight = ring_.in_flight();
    stats.ring_enters = ring_.enters();
    carriers_.count(stats);
    activation_.count(stats);
    stats.polls = polls_;
    stats.stalls = stalls_;
    stats.stall_max_ns = static_cast<std::uint64_t>(stall_max_ns_);
}

} // namespace laio
