// A thread's loop: its operations, its engines, its ready list. The only place that puts engines together.
//
// A call is attempted in place. If it would block, its operation lines up on its descriptors, and when its turn has come
// it goes to the engine that its outcome names; what an engine gives back is attempted again or is finished, and waits
// in the ready list for poll(). Everything here runs on the loop's thread. Nothing here blocks, but for poll() when it is
// asked to wait, and finish().
#pragma once

#include "calls/attempt.hpp"
#include "calls/choice.hpp"
#include "calls/descriptors.hpp"
#include "calls/pool.hpp"
#include "engines/activation/activation.hpp"
#include "engines/carriers.hpp"
#include "engines/crowd.hpp"
#include "engines/readiness.hpp"
#include "engines/ring.hpp"
#include "engines/timers.hpp"
#include "laio/laio.h"

namespace laio {

class loop {
public:
    explicit loop(const laio_options &options);
    ~loop();
    loop(const loop &) = delete;
    loop &operator=(const loop &) = delete;

    int open();     // 0 or a negative errno
    void finish();  // ends what is outstanding, and waits for it
    void abandon(); // in the child of a fork: closes our copies of its descriptors, touches nothing else

    // A new call. -EINPROGRESS with a handle(): it went to the background. Else the result, or a negative errno.
    long make(long number, const long *arguments);

    // The same in parts, for laio_syscall(): begin() first, once a call. nullptr: it needs make() instead.
    const row *begin(long number);
    [[nodiscard]] bool goes_in_place(const row &what, long first_argument);
    long dispatch(const row &what, long number, const long *arguments);
    long claimed_in_place(long number, const long *arguments); // it was made there, and blocked

    [[nodiscard]] laio_handle_t handle() const { return latest_; }
    int set_data(laio_handle_t handle, void *data);
    int cancel(laio_handle_t handle);
    int poll(laio_completion *completions, int length, const timespec *timeout);
    int descriptor();
    [[nodiscard]] int outstanding() const { return static_cast<int>(outstanding_); }
    [[nodiscard]] bool has_ring() const { return ring_.is_open(); }
    void count(struct laio_stats &stats);

private:
    // loop.cpp: calls
    long make_timed(const row &what, long number, const long *arguments);
    [[nodiscard]] bool is_chosen(form attempt, long first_argument);
    [[nodiscard]] bool may_choose(form attempt) const;
    long make_at_home(long number, const long *arguments);
    long attempt_call(operation &op);
    outcome make_attempt(operation &op);
    void learn_kind(int descriptor);
    [[nodiscard]] bool may_skip_attempt(const operation &op) const;
    long background(operation &op, until waits_for);
    bool open_activations();
    bool may_activate(const operation &op);
    long activate(operation &op);
    outcome step_made(operation &op, long result);
    outcome attempt_sending(operation &op);
    outcome note_look(operation &op, outcome next);
    void note_missed(const operation &op);
    void make_step(operation &op);
    void end_step(operation &op);
    long claimed(operation &op);
    void come_home();
    operation *take_spare();
    void set_spare(operation *op);
    void before_close(int descriptor);
    void forget_replaced(long number, const long *arguments);

    // loop_background.cpp: operations in the background
    void start(operation &op);
    void place(operation &op);
    void start_waiting(operation &op);
    void start_ring(operation &op);
    void withdraw_accepts();
    bool submit(operation &op);
    void start_carrier(operation &op);
    static void hold_file(operation &op);
    bool set_deadline(operation &op, bool is_known_again);
    std::int64_t own_deadline_ns(const operation &op, bool is_known_again);
    void advance(operation &op);
    void settle(operation &op, outcome next);
    void complete(operation &op, long result);
    void end_stale();
    void run_turns() {
        if (!turns_.empty() || !readiness_.stale().empty()) take_turns();
    }
    void take_turns();
    void cancel_operation(operation &op);

    // loop_poll.cpp: completions
    void collect();
    void collect_readiness();
    void collect_ring();
    void collect_carriers();
    void collect_timers();
    int sleep(const timespec *timeout);
    int hand_over(laio_completion *completions, int length);
    long retire(operation &op);
    void drop(operation &op);
    void note_turn();
    void ring_alarm();
    void watch_cancels();
    void repeat_cancels();
    void watch_queue(std::int64_t in_ns = carriers::patience_ns);

    // what every call touches: one line
    alignas(64) std::uint64_t calls_[LAIO_ROUTES]{};
    operation *reserve_ = nullptr; // the operation after spare_, while an activation may need it
    laio_handle_t latest_ = nullptr;
    std::uint32_t outstanding_ = 0;
    unsigned tick_ = 0; // calls
    static_assert(LAIO_ROUTES == 5, "what follows is on another line then");

    laio_options options_;
    surroundings world_;
    pool pool_;
    descriptors descriptors_;
    timers timers_;
    readiness readiness_;
    ring ring_;
    carriers carriers_;
    activation activation_;
    crowd crowd_;
    operation_list ready_;       // complete, to be handed over
    operation_list turns_;       // their turn on their descriptors has come
    operation *spare_ = nullptr; // the operation that the next call is made with; see set_spare()
    choices choices_;
    unsigned unknown_reads_ = 0; // of descriptors of which nothing is known
    operation queue_timer_{};    // not a call: the deadline by which the carriers' queue is looked at
    operation cancel_timer_{};   // likewise: when carriers that should have ended a call are told so again
    bool is_shared_ = false;     // another loop waits on our descriptor: everything is armed at once
    bool is_collecting_ = false; // in poll(), which hands over what becomes complete
    bool is_finishing_ = false;
    bool has_rung_ = false; // the alarm, and poll() has not slept since

    // statistics
    laio_route_stats routes_[LAIO_ROUTES]{}; // without `calls`
    static constexpr unsigned sampling = 64; // of calls are timed once: two looks at the clock cost as much as a call
    std::uint64_t claims_by_us_[LAIO_CLAIM_BUCKETS]{};
    std::uint64_t outstanding_peak_ = 0;
    std::uint64_t completed_ = 0;
    std::uint64_t cancelled_ = 0;
    std::uint64_t waits_ = 0;
    std::uint64_t retries_ = 0;
    std::uint64_t polls_ = 0;
    std::uint64_t stalls_ = 0;
    std::int64_t stall_max_ns_ = 0;
    std::int64_t turn_began_ns_ = 0;
    int ring_errno_ = 0;
    int activations_errno_ = 0; // why there are none; 0 before the first call that needs them, too
    std::uint64_t costs_by_ns_[LAIO_ROUTES][LAIO_COST_BUCKETS]{}; // last: it is large, and for timed calls only
};

inline const row *loop::begin(long number) {
    const row *what = find_row(number);
    if (what == nullptr || ++tick_ % sampling == 0) [[unlikely]]
        return nullptr;
    latest_ = nullptr;
    ++calls_[static_cast<unsigned>(what->way)];
    return what;
}

// Nothing has to be made ready or copied for it first. The ring belongs to the thread that is home, which may not block
// while the ring has requests in flight.
inline bool loop::goes_in_place(const row &what, long first_argument) {
    if (what.way != route::activation && !is_chosen(what.attempt, first_argument)) return false;
    if (!activation_.has_spare() || reserve_ == nullptr || !what.simple) return false;
    if (!ring_.is_idle() && !activation_.is_away()) return false;
    if (outstanding_ > 0 && what.descriptor_argument() >= 0 &&
        descriptors_.find(static_cast<int>(first_argument)) != nullptr)
        return false;
    if (what.attempt == form::close) {
        world_.hints.forget(static_cast<int>(first_argument));
        readiness_.forget(static_cast<int>(first_argument));
    }
    return true;
}

// To be made in place though there is an attempt for it.
inline bool loop::is_chosen(form attempt, long first_argument) {
    const choice *which = choices_.of(attempt, world_.hints.kind(static_cast<int>(first_argument)));
    return which != nullptr && which->is_in_place();
}

} // namespace laio
