#include "event_loop.hpp"

#include "http/date.hpp"

#include <algorithm>
#include <span>
#include <system_error>

namespace httpd {
namespace {

constexpr int completions_per_turn = 64;
constexpr std::int64_t second_ns = 1'000'000'000;

std::int64_t monotonic_ns() {
    std::timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * second_ns + now.tv_nsec;
}

} // namespace

event_loop::event_loop() : now_ns_(monotonic_ns()) {}

void event_loop::set_duration(deadline kind, std::chrono::milliseconds duration) {
    deadlines_[static_cast<std::size_t>(kind)].duration_ns = std::chrono::nanoseconds(duration).count();
}

void event_loop::run() {
    while (running_) {
        take_completions();
        give_turns();
        expire_deadlines();
    }
}

// Figure 1 of the LAIO paper.
void event_loop::take_completions() {
    std::timespec timeout{};
    const std::timespec *limit = &timeout; // not at all, while a task waits for its turn
    if (runnable_.empty()) {
        const auto deadline_ns = next_deadline_ns();
        const auto left_ns = std::max<std::int64_t>(deadline_ns - monotonic_ns(), 0);
        timeout = {left_ns / second_ns, left_ns % second_ns};
        limit = deadline_ns < 0 ? nullptr : &timeout;
    }

    std::array<laio_completion, completions_per_turn> completions;
    const int count = laio_poll(completions.data(), completions_per_turn, limit);
    const int error = errno;
    now_ns_ = monotonic_ns();
    if (count < 0 && error != EINTR) throw std::system_error(error, std::generic_category(), "laio_poll");

    // A handle that was handed over is free again and may soon name another call. One task may cancel another's, so all
    // of them are forgotten before any task runs.
    const std::span<laio_completion> done(completions.data(), static_cast<std::size_t>(std::max(count, 0)));
    for (const auto &one : done) static_cast<task *>(one.laio_data)->handle_ = nullptr;
    for (const auto &one : done) static_cast<task *>(one.laio_data)->completed({one.laio_return_value, one.laio_errno});
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
    who.deadline_ns_ = now_ns_ + list.duration_ns;
    list.tasks.push_back(who);
}

void event_loop::run_later(task &who) {
    if (!who.run_hook_.is_linked()) runnable_.push_back(who);
}

void event_loop::cancel(task &who) {
    if (who.handle_ != nullptr) laio_cancel(who.handle_);
}

const std::string &event_loop::date() {
    const auto now = std::time(nullptr);
    if (now != date_seconds_) {
        date_seconds_ = now;
        date_ = http_date(now);
    }
    return date_;
}

} // namespace httpd
