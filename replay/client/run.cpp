#include "client/run.hpp"

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace replay {

namespace {

using std::chrono::steady_clock;

constexpr std::size_t scratch_bytes = 65536;
constexpr int events_at_once = 256;

timespec as_timespec(std::chrono::nanoseconds time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    return {seconds.count(), (time - seconds).count()};
}

bool is_asked_to_stop(const run_options &options) { return options.stop != nullptr && options.stop->is_made(); }

} // namespace

run::run() : epoll_(epoll_create1(EPOLL_CLOEXEC)), scratch_(scratch_bytes) {
    if (epoll_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
}

run::~run() { ::close(epoll_); }

void run::equip(server_view &server) {
    server.epoll = epoll_;
    server.scratch = scratch_;
}

void run::wait(steady_time until) {
    const auto timeout = as_timespec(std::max<std::chrono::nanoseconds>(until - steady_clock::now(), {}));
    std::array<epoll_event, events_at_once> events;
    const int n = epoll_pwait2(epoll_, events.data(), events_at_once, &timeout, nullptr);
    if (n < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "epoll_pwait2");
    for (int i = 0; i < n; ++i) {
        const auto &event = events[static_cast<std::size_t>(i)];
        if (event.data.ptr == nullptr) continue; // the request to stop, at which the caller looks
        auto &whose = *static_cast<player::client *>(event.data.ptr);
        whose.owner.advance(whose, event.events);
    }
}

// Who is not connected after the timeout goes on trying in the run.
void run::connect(const std::vector<player *> &players, const run_options &options) {
    const auto end = steady_clock::now() + options.timeout;
    for (auto *one : players) one->connect();
    const auto is_connecting = [](const player *one) { return one->connecting(); };
    while (std::ranges::any_of(players, is_connecting) && steady_clock::now() < end && !is_asked_to_stop(options))
        wait(end);
}

run_result run::play(const std::vector<player *> &players, const run_options &options) {
    if (options.stop != nullptr) {
        epoll_event stop{.events = EPOLLIN, .data = {.ptr = nullptr}};
        if (epoll_ctl(epoll_, EPOLL_CTL_ADD, options.stop->descriptor(), &stop) != 0)
            throw std::system_error(errno, std::generic_category(), "epoll_ctl");
    }
    connect(players, options);
    run_result result;
    cpu_use cpu;
    const auto start = steady_clock::now();
    const auto end = options.duration ? start + *options.duration : steady_time::max();
    // Who does not move is noticed a tenth of the timeout late at most; looking at every client each time would cost more.
    const auto look_every = options.timeout / 10;
    auto next_look = start + look_every;
    auto next_telling = options.tell ? start + options.tell_every : steady_time::max();
    prctl(PR_SET_TIMERSLACK, 1UL); // the usual 50 us would be part of what an open loop measures
    for (auto *one : players) one->start(start);

    auto now = start;
    for (; !players.front()->over() && now < end; now = steady_clock::now()) {
        if (is_asked_to_stop(options)) {
            result.interrupted = true;
            break;
        }
        auto until = std::min({end, next_look, next_telling, cpu.next_look()});
        std::for_each(players.rbegin(), players.rend(), [now](player *one) { one->turn(now); });
        for (const auto *one : players)
            if (const auto due = one->next_due()) until = std::min(until, *due);
        wait(until);
        if (now >= next_look) {
            for (auto *one : players) one->expire(now - options.timeout);
            next_look = now + look_every;
        }
        if (now >= cpu.next_look()) cpu.look();
        if (now >= next_telling) {
            options.tell(now - start);
            next_telling = now + options.tell_every;
        }
    }
    result.elapsed = now - start;
    cpu.look();
    result.cpu = cpu.middle(options.middle_percent);
    for (auto *one : players) one->end(now);
    if (options.stop != nullptr) epoll_ctl(epoll_, EPOLL_CTL_DEL, options.stop->descriptor(), nullptr);
    return result;
}

} // namespace replay
