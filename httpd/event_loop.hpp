// The event loop: takes completions from laio_poll(), gives tasks their turns, watches deadlines. Owns no task. Everything
// runs on the one thread that calls run(); the only place where that thread waits is laio_poll().
// Deadlines of one kind last equally long, so each kind is a list in order of time: arming and disarming cost two
// pointers, where a heap would pay for an order that is there already.
#pragma once

#include "task.hpp"

#include <boost/intrusive/list.hpp>

#include <array>
#include <chrono>
#include <ctime>
#include <string>

namespace httpd {

class event_loop {
public:
    event_loop();

    void set_duration(deadline kind, std::chrono::milliseconds duration);

    // Runs turns until stop(). Throws std::system_error when laio_poll() fails.
    void run();
    void stop() { running_ = false; }

    // Starts `kind` for the task, in place of another kind. One that runs already is not prolonged.
    void arm(task &who, deadline kind);
    void disarm(task &who) { who.deadline_hook_.unlink(); }

    // Another turn, after all others had theirs.
    void run_later(task &who);

    // Asks for the end of the task's call in the background, if there is one; completed() will say what became of it.
    static void cancel(task &who);

    // The time of this turn, as HTTP writes it.
    const std::string &date();

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

    void take_completions();
    void give_turns();
    void expire_deadlines();
    std::int64_t next_deadline_ns() const; // -1: none

    bool running_ = true;
    std::int64_t now_ns_ = 0;
    run_queue runnable_;
    std::array<deadline_list, deadlines> deadlines_;
    std::time_t date_seconds_ = -1;
    std::string date_;
};

} // namespace httpd
