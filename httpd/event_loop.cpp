#include "event_loop.hpp"

#include "http/date.hpp"
#include "loop/multiplexer.hpp"

#include <algorithm>

namespace httpd {
namespace {

constexpr std::int64_t long_turn_ns = 10'000'000;

} // namespace

event_loop::event_loop(multiplexer &waiting) : waiting_(waiting), now_ns_(monotonic_ns()) {}

void event_loop::set_duration(deadline kind, std::chrono::milliseconds duration) {
    deadlines_[static_cast<std::size_t>(kind)].duration_ns = std::chrono::nanoseconds(duration).count();
}

void event_loop::run() {
    while (running_) {
        wait();
        give_turns();
        expire_deadlines();
        count_turn();
    }
}

void event_loop::wait() {
    std::int64_t timeout_ns = 0; // not at all, while a task waits for its turn
    if (runnable_.empty()) {
        const auto deadline_ns = next_deadline_ns();
        timeout_ns = deadline_ns < 0 ? -1 : std::max<std::int64_t>(deadline_ns - now_ns_, 0);
    }
    waiting_.wait(timeout_ns);
    now_ns_ = monotonic_ns();
    const auto woken_ns = waiting_.take_woken_ns();
    turn_began_ns_ = woken_ns != 0 ? woken_ns : now_ns_;
}

void event_loop::count_turn() {
    now_ns_ = monotonic_ns();
    const auto length_ns = now_ns_ - turn_began_ns_;
    ++turns_.turns;
    if (length_ns > long_turn_ns) ++turns_.long_turns;
    turns_.longest_ns = std::max(turns_.longest_ns, length_ns);
}

void event_loop::give_turns() {
    run_queue round; // who asks again meanwhile is in the next one
    round.swap(runnable_);
    while (!round.empty()) {
        task &who = round.front();
        round.pop_front();
        who.turn();
    }
}

void event_loop::expire_deadlines() {
    for (auto &list : deadlines_) {
        while (!list.tasks.empty() && list.tasks.front().deadline_ns_ <= now_ns_) {
            task &who = list.tasks.front();
            list.tasks.pop_front();
            who.deadline_passed();
        }
    }
}

std::int64_t event_loop::next_deadline_ns() const {
    std::int64_t earliest = -1;
    for (const auto &list : deadlines_) {
        if (list.tasks.empty()) continue;
        const auto at_ns = list.tasks.front().deadline_ns_;
        earliest = earliest < 0 ? at_ns : std::min(earliest, at_ns);
    }
    return earliest;
}

void event_loop::arm(task &who, deadline kind) {
    if (who.deadline_hook_.is_linked() && who.deadline_kind_ == kind) return;
    disarm(who);
    auto &list = deadlines_[static_cast<std::size_t>(kind)];
    who.deadline_kind_ = kind;
    who.deadline_ns_ = now_ns() + list.duration_ns;
    list.tasks.push_back(who);
}

void event_loop::run_later(task &who) {
    if (!who.run_hook_.is_linked()) runnable_.push_back(who);
}

outcome event_loop::readable(task &who, int descriptor) { return waiting_.readable(who, descriptor); }

// What is told from within a wait is of a turn that has only begun there.
std::int64_t event_loop::now_ns() const { return std::max(now_ns_, waiting_.woken_ns()); }

const std::string &event_loop::date() {
    const auto now = std::time(nullptr);
    if (now != date_seconds_) {
        date_seconds_ = now;
        date_ = http_date(now);
    }
    return date_;
}

} // namespace httpd
