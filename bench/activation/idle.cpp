// The CPU time of the library's threads while the program has nothing for them to do. See sections.hpp. The situations
// in which nobody computes are measured at the same time, each in a process of its own. A machine that is busy with other
// things hides what a thread of the lowest priority would use.
#include "blocking_call.hpp"
#include "common/activation_presence.hpp"
#include "common/child.hpp"
#include "sections.hpp"

#include <sys/epoll.h>

#include <array>
#include <memory>
#include <utility>
#include <vector>

namespace laio::bench {
namespace {

constexpr double share_goal_percent = 0.5;

timespec as_timespec(double seconds) {
    const auto whole = static_cast<time_t>(seconds);
    return {.tv_sec = whole, .tv_nsec = static_cast<long>(1e9 * (seconds - static_cast<double>(whole)))};
}

void wait_in_poll(double seconds) {
    laio_completion completion;
    const double end = wall_ns() + 1e9 * seconds;
    for (double left = 0; (left = end - wall_ns()) > 0;) {
        const timespec limit = as_timespec(left / 1e9);
        if (laio_poll(&completion, 1, &limit) > 0) fail("a completion of nothing");
    }
}

void wait_in_epoll(double seconds) {
    const descriptor epoll(must(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1"));
    epoll_event event{};
    event.events = EPOLLIN;
    must(::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, must(laio_fd(), "laio_fd"), &event), "epoll_ctl");
    const double end = wall_ns() + 1e9 * seconds;
    for (double left = 0; (left = end - wall_ns()) > 1e6;) {
        const int count = ::epoll_wait(epoll.get(), &event, 1, static_cast<int>(left / 1e6));
        if (count < 0 && errno != EINTR) fail("epoll_wait: {}", error_text(errno));
        constexpr timespec none{};
        laio_completion completion;
        if (count > 0 && laio_poll(&completion, 1, &none) > 0) fail("a completion of nothing");
    }
}

void sleep_alone(double seconds) { sleep_until_ns(wall_ns() + 1e9 * seconds); }

void compute(double seconds) {
    const double end = wall_ns() + 1e9 * seconds;
    for (volatile unsigned long i = 0; wall_ns() < end;)
        for (int step = 0; step < 1000; ++step) i = i + 1;
}

struct pastime {
    const char *key;
    const char *title;
    void (*pass)(double seconds);
    bool keeps_cpu_busy;
};

constexpr std::array pastimes{
    pastime{"poll", "in laio_poll()", wait_in_poll, false},
    pastime{"other_loop", "in another event loop, with laio_fd()", wait_in_epoll, false},
    pastime{"sleep", "in a sleep of the program's own", sleep_alone, false},
    pastime{"compute", "computing", compute, true},
};

// One call is in the background all the while, so that there is something to wait for, and the watchers were awake a
// moment ago.
nlohmann::ordered_json measure_pastime(const pastime &one, double seconds) {
    if (const std::string why = why_no_activations(); !why.empty()) return {{"skipped", why}};
    blocking_call first;
    first.begin();
    first.end();
    blocking_call waiting;
    waiting.begin();
    for (int i = 0; i < 1000; ++i)
        if (empty_activation() != 0) fail("a call that cannot block gave {}", error_text(errno));
    const thread_times before = library_threads_now();
    if (before.empty()) return {{"skipped", "this kernel does not count what threads use (schedstat)"}};
    const double begin = wall_ns();
    one.pass(seconds);
    const double took = wall_ns() - begin;
    const thread_times used = spent(before, library_threads_now());
    waiting.end();
    must(laio_fini(), "laio_fini");
    nlohmann::ordered_json row = {{"seconds", took / 1e9}, {"percent", 100 * sum(used) / took}};
    for (const auto &[name, nanoseconds] : used) row["threads_percent"][name] = 100 * nanoseconds / took;
    return row;
}

} // namespace

section measure_idle(const sizes &chosen) {
    section result;
    fmt::print("\nThe library's threads while the program has nothing for them to do: percent of a CPU\n{:50} {:>8} "
               "{:>9}  {}\n",
               "the program is", "seconds", "all", "of it");
    std::vector<std::unique_ptr<child>> children;
    children.reserve(pastimes.size());
    for (const pastime &each : pastimes) {
        if (each.keeps_cpu_busy)
            for (const auto &earlier : children) earlier->wait();
        children.push_back(std::make_unique<child>(each.title, [&] { return measure_pastime(each, chosen.idle_s); }));
    }
    for (std::size_t i = 0; i < pastimes.size(); ++i) {
        const pastime &each = pastimes.at(i);
        nlohmann::ordered_json row = {{"situation", each.key}};
        row.update(children[i]->result());
        if (row.contains("skipped"))
            fmt::print("{:50} SKIPPED: {}\n", each.title, row.at("skipped").get<std::string>());
        else
            fmt::print("{:50} {:>8.1f} {:>9.3f}  {}\n", each.title, row.at("seconds").get<double>(),
                       row.at("percent").get<double>(), listed(row.at("threads_percent")));
        std::fflush(stdout);
        result.goals.push_back(goal_of(std::string("CPU use of the library's threads, the program ") + each.title, "%",
                                       share_goal_percent, row, "percent"));
        result.rows.push_back(std::move(row));
    }
    return result;
}

} // namespace laio::bench
