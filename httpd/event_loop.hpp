// The event loop: waits in its multiplexer, gives tasks their turns, watches deadlines. Owns no task. Everything runs on the
// one thread that calls run(). A stall is the time from one wait to the next: whatever becomes ready meanwhile waits so long.
// Deadlines of one kind last equally long, so each kind is a list in order of time: arming and disarming cost two
// pointers, where a heap would pay for an order that is there already.
#pragma once

#include "statistics.hpp"
#include "task.hpp"

#include <boost/intrusive/list.hpp>

#include <array>
#include <chrono>
#include <ctime>
#include <string>

namespace httpd {

class multiplexer;

class event_loop {
public:
    explicit event_loop(multiplexer &waiting);

    void set_duration(deadline kind, std::chrono::milliseconds duration);

    // Runs turns until stop(). Throws std::system_error when it cannot wait.
    void run();
    void stop() { running_ = false; }

    // Starts `kind` for the task, in place of another kind. One that runs already is not prolonged.
    void arm(task &who, deadline kind);
    void disarm(task &who) { who.deadline_hook_.unlink(); }

    // Another turn, after all others had theirs.
    void run_later(task &who);

    // Another descriptor than those of the strategies: the task is told when it is readable.
    outcome readable(task &who, int descriptor);

    // Of this turn: monotonic, and as HTTP writes it.
    std::int64_t now_ns() const;
    const std::string &date();

    const turn_counts &turns() const { return turns_; }

private:
    using run_queue = boost::intrusive::list<task, boost::intrusive::member_hook<task, task::hook, &task::run_hook_>,
                                             boost::intrusive::constant_time_size<false>>;
    using deadline_queue =
        boost::intrusive::list<task, boost::intrusive::member_hook<task, task::hook, &task::deadline_hook_>,
                               boost::intrusive::constant_time_size<false>>;
    struct deadline_list {
        std::int64_t duration_ns = 0;
        deadline_queue tasks;
    };

    void wait();
    void count_turn();
    void give_turns();
    void expire_deadlines();
    std::int64_t next_deadline_ns() const; // -1: none

    multiplexer &waiting_;
    bool running_ = true;
    turn_counts turns_;
    std::int64_t now_ns_;
    std::int64_t turn_began_ns_ = 0;
    run_queue runnable_;
    std::array<deadline_list, deadlines> deadlines_;
    std::time_t date_seconds_ = -1;
    std::string date_;
};

} // namespace httpd
