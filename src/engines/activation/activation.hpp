// Activations: any system call in place, and away with it when it blocks.
//
// The call is made on the stack and the thread pointer of the kernel thread that carries the application (a guest; at
// first the loop's home). If it blocks, a watcher sees that (watchers.hpp) and wakes the spare guest, which claims the call
// and takes the application over: laio_syscall() returns there. The blocked thread hands its result in to the carriers' list
// when the kernel lets it go, and rests. The application comes home at the first laio_poll() at which home rests.
//
// The application's thread pointer goes with it, so thread-local variables, errno and pthread_self() stay what they are;
// gettid(2) does not. Functions without "watchers" or "guest" in their comment run in the application's context.
// Lost: asking the scheduler (perf_event_open(2) is forbidden to ordinary users, and slow); a second thread that makes the
// call while the first waits (4 us a call).
#pragma once

#include "engines/activation/guest.hpp"
#include "engines/activation/watchers.hpp"
#include "engines/carriers.hpp"
#include "kernel/ties.hpp"
#include "laio/laio.h"

#include <atomic>
#include <cstdint>

namespace laio {

extern "C" {
// laio_syscall() itself for a call in place, to be jumped to: see the assembly. Only while the activation of
// this thread is open and has a spare, and knows the operation that the call is made for.
[[gnu::visibility("hidden")]] long laio_activation_syscall(long number, long, long, long, long, long, long);
long laio_activation_call(guest *, long number, const long *arguments);
}

class activation {
public:
    activation() = default;
    activation(const activation &) = delete;
    activation &operator=(const activation &) = delete;

    // To be made with the loop, for a loop may open activations amid its work: the kernel lets a process with threads wait
    // for this, 12 to 19 ms as measured, and one without threads not at all. 0 or a negative errno.
    static int register_process();

    // 0, or why there are none: a negative errno. The calling thread is home.
    int open(const laio_options &options, carriers &results);
    void close();   // at home; no call is in the air
    void abandon(); // in the child of a fork
    [[nodiscard]] bool is_open() const { return laio_running != nullptr; }

    // A spare stands by, so that a call which blocks can be left behind. provide_spare(): false: none is to be had now.
    [[nodiscard]] bool has_spare() const { return spare_.load(std::memory_order_relaxed) != nullptr; }
    bool provide_spare();

    // The operation that the next call is made for. If that blocks, it is handed in to the carriers with its result.
    void set_operation(operation &op) {
        if (is_open()) laio_running->op = &op;
    }
    // Makes the call in place. False: it blocks. What the arguments point to has to last until then; they themselves do not.
    bool make(long number, const long *arguments, long &result) {
        guest &here = *laio_running;
        result = laio_activation_call(&here, number, arguments);
        if (laio_running == &here) return true;
        open_signals();
        return false;
    }
    // After make() said so: what cancels the call, beside op.cancelled, is the cancel signal to op.runner.
    void note_runner(operation &op);
    void let_cancel_through(const operation &op); // the application may have blocked the cancel signal there

    // What the application has blocked since is blocked, too, where its calls were left behind without being interrupted.
    void follow_mask() {
        if (open_.load(std::memory_order_relaxed) > 0) close_open();
    }

    // By the application when another thread has taken it over, so that handlers of what is pending find it there.
    static void open_signals();

    [[nodiscard]] bool is_away() const { return is_open() && laio_running != &home_; }
    bool leave_home(); // false: there is no spare
    bool go_home();    // false: home does not rest

    [[nodiscard]] std::uint64_t claims() const { return claims_.load(std::memory_order_relaxed); }
    // Calls wait for a carrier, and threads of ours that do nothing count among those.
    void send_help();

    void count(struct laio_stats &stats) const;

    // ---- for the assembly and the watchers
    [[noreturn]] void rest(guest &me); // a guest's own life
    [[noreturn]] void lost(guest &me); // its call was claimed, and is over
    [[nodiscard]] member *home_membership() const { return home_.membership; }
    [[nodiscard]] const void *crew() const { return results_; } // whose threads follow one another: members.hpp
    // Watchers: the call of that word blocks; `status`: as its thread's status says, if that was read. False: there is no
    // spare, or no need for one.
    bool wake_spare(guest &of, std::uint64_t word, const thread_status &status);
    // Watchers: whether a status may say so by itself, and whether this one does.
    [[nodiscard]] bool believes_status() const { return signals_blocked_ || !catches_.load(std::memory_order_relaxed); }
    [[nodiscard]] bool shows_blocked(const thread_status &status) const;
    void wake_watchers() { watchers_.wake(); }

private:
    [[nodiscard]] std::uint64_t closed_signals() const;
    guest *make_guest();
    guest *pop_rested();
    guest *take_rested();
    errand await(guest &me);
    bool may_end(guest &me);
    void end(guest &me);
    void free_ended();
    void help(guest &me);
    void put_at_rest(guest &one);
    static bool wins(guest &from, std::uint64_t of_word);
    void resume(guest &me);
    bool take_over(guest &me);
    void claim(guest &me);
    void close_signals(guest &from, guest &to);
    void close_open();
    template <class predicate> void ask_for_masks(predicate which);
    [[noreturn]] void carry(guest &me);
    int open_home();

    guest home_{};
    guest **running_ = nullptr; // the application's laio_running, for those that have another thread pointer
    guest *left_ = nullptr;     // carried it before, when its call was claimed
    guest *made_ = nullptr;     // all but home
    bool signals_blocked_ = false;
    timespec idle_{}; // how long a guest rests before it ends
    ring_use ring_use_ = ring_use::unknown;
    std::atomic<guest *> ended_{nullptr}; // the latest that did
    std::atomic<bool> is_asking_{false};  // the application asks a member by its guest's tid; that one may not leave
    carriers *results_ = nullptr;
    watchers watchers_;
    unsigned long donor_ = 0; // the thread whose thread pointer home has while the application is away
    void *home_stack_ = nullptr;

    std::atomic<guest *> spare_{nullptr};
    std::atomic<guest *> resting_{nullptr};
    std::atomic<bool> home_rests_{false};
    std::atomic<int> donor_stops_{0};
    std::atomic<int> open_{0};         // guests that are open
    std::atomic<bool> catches_{false}; // the application catches signals, as far as the latest claim knows
    std::atomic<int> claiming_{0};     // claims that are not over: no guest ends meanwhile, whose call it may be

    std::uint64_t trips_home_ = 0;
    std::uint64_t leaves_ = 0; // away without a claim
    std::uint64_t claims_from_home_ = 0;
    std::atomic<std::uint64_t> claims_{0};
    std::atomic<std::uint64_t> spurious_{0};
};

} // namespace laio
