// See weather.hpp.
#include "stress/weather.hpp"

#include "stress/actor.hpp"

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <sched.h>
#include <vector>

namespace laio::test {
namespace {

std::atomic<unsigned> seen{0};

void on_signal(int /*signal*/) {
    const int kept = errno;
    seen.fetch_add(1, std::memory_order_relaxed);
    errno = E2BIG; // whose errno it is would show in a result
    errno = kept;
}

sigset_t both() {
    sigset_t set{};
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    return set;
}

timer_t start_timer(int signal, int flags, long every_ns) {
    struct sigaction action {};
    action.sa_handler = on_signal;
    action.sa_flags = flags;
    EXPECT_EQ(sigaction(signal, &action, nullptr), 0);
    sigevent event{};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = signal;
    timer_t timer{};
    EXPECT_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    const itimerspec interval{{0, every_ns}, {0, every_ns}};
    EXPECT_EQ(timer_settime(timer, 0, &interval, nullptr), 0);
    return timer;
}

std::vector<pid_t> all_threads() {
    std::vector<pid_t> found;
    std::error_code ignored;
    for (auto it = std::filesystem::directory_iterator{"/proc/self/task", ignored};
         it != std::filesystem::directory_iterator{}; it.increment(ignored))
        found.push_back(static_cast<pid_t>(std::stol(it->path().filename())));
    return found;
}

} // namespace

signals_held::signals_held() {
    const sigset_t set = both();
    pthread_sigmask(SIG_BLOCK, &set, &before_);
}

signals_held::~signals_held() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

weather::weather(std::uint64_t seed) {
    keep_signals_out();
    restarting_ = start_timer(SIGUSR1, SA_RESTART, 3'100'000);
    ending_ = start_timer(SIGUSR2, 0, 7'300'000);
    hog_ = std::thread{[this, seed] { hog(seed); }};
    mover_ = std::thread{[this, seed] { move_threads(seed + 1); }};
}

weather::~weather() {
    is_over_.store(true);
    hog_.join();
    mover_.join();
    timer_delete(restarting_);
    timer_delete(ending_);
    const timespec none{};
    const sigset_t set = both();
    while (sigtimedwait(&set, nullptr, &none) > 0) {} // what is pending would end the process
    std::signal(SIGUSR1, SIG_DFL);
    std::signal(SIGUSR2, SIG_DFL);
}

void weather::let_signals_in() {
    const sigset_t set = both();
    pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void weather::keep_signals_out() {
    const sigset_t set = both();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

unsigned weather::signals_seen() { return seen.load(); }

// Some milliseconds of work, some of rest.
void weather::hog(std::uint64_t seed) const {
    dice random{seed};
    while (!is_over_.load()) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds{1 + random.below(30)};
        while (std::chrono::steady_clock::now() < until) {}
        std::this_thread::sleep_for(std::chrono::milliseconds{random.below(30)});
    }
}

// One thread to one CPU, or all of them to wherever they may.
void weather::move_threads(std::uint64_t seed) const {
    dice random{seed};
    cpu_set_t allowed{};
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
    std::vector<int> cpus;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
        if (CPU_ISSET(cpu, &allowed)) cpus.push_back(cpu);
    while (!is_over_.load()) {
        const std::vector<pid_t> threads = all_threads();
        cpu_set_t one{};
        CPU_SET(cpus[random.below(cpus.size())], &one);
        if (random.one_in(8))
            for (const pid_t thread : threads) sched_setaffinity(thread, sizeof allowed, &allowed);
        else sched_setaffinity(threads[random.below(threads.size())], sizeof one, &one);
        std::this_thread::sleep_for(std::chrono::microseconds{300 + random.below(4000)});
    }
    for (const pid_t thread : all_threads()) sched_setaffinity(thread, sizeof allowed, &allowed);
}

} // namespace laio::test
