// Clocks, timers and signals.
#include "laziness/cases.hpp"

#include <csignal>
#include <sys/time.h>
#include <sys/timex.h>
#include <unistd.h>

namespace laio::test {
namespace {

void play_clock_settings(stage &s) {
    timex asked{};
    s.call(SYS_adjtimex, &asked);
    s.call(SYS_clock_adjtime, CLOCK_REALTIME, &asked);
    const timespec time{1, 0};
    s.call(SYS_clock_settime, 999, &time);
    s.call(SYS_settimeofday, nullptr, nullptr);
}

void play_timers(stage &s) {
    s.call_for_value(number_of("alarm"), deadline_s); // the test's own alarm, set anew
    itimerval timer{};
    s.call(SYS_setitimer, ITIMER_VIRTUAL, &timer, nullptr);
    s.call(SYS_getitimer, ITIMER_VIRTUAL, &timer);
    sigevent event{};
    event.sigev_notify = SIGEV_NONE;
    int id = 0;
    s.call(SYS_timer_create, CLOCK_MONOTONIC, &event, &id);
    const itimerspec later{{0, 0}, {1000, 0}};
    itimerspec left{};
    s.call(SYS_timer_settime, id, 0, &later, &left);
    s.call(SYS_timer_gettime, id, &left);
    s.note("is set", static_cast<long>(left.it_value.tv_sec > 0));
    s.call(SYS_timer_getoverrun, id);
    s.call(SYS_timer_delete, id);
    s.call(SYS_timer_delete, id);
}

void play_more_signals(stage &s) {
    std::array<long, 4> action{};
    s.call(SYS_rt_sigaction, SIGUSR1, nullptr, action.data(), 8);
    s.note("handler", action[0]);
    stack_t stack{};
    s.call(SYS_sigaltstack, nullptr, &stack);
    s.note("flags", static_cast<long>(stack.ss_flags));
    siginfo_t info{};
    s.call(SYS_tkill, gettid(), 0);
    s.call(SYS_rt_sigqueueinfo, getpid(), 999, &info);
    s.call(SYS_rt_tgsigqueueinfo, getpid(), gettid(), 999, &info);
    s.call(SYS_pidfd_send_signal, -1, 0, nullptr, 0);
}

void on_signal(int /*signal*/) {}

void play_sigsuspend(stage &s) {
    struct sigaction noticed {};
    struct sigaction before {};
    noticed.sa_handler = on_signal;
    EXPECT_EQ(sigaction(SIGUSR2, &noticed, &before), 0);
    sigset_t blocked{};
    sigset_t old{};
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR2);
    EXPECT_EQ(pthread_sigmask(SIG_BLOCK, &blocked, &old), 0);
    EXPECT_EQ(kill(getpid(), SIGUSR2), 0); // so that it is there when the call begins
    s.call(SYS_rt_sigsuspend, &old, 8);
    EXPECT_EQ(pthread_sigmask(SIG_SETMASK, &old, nullptr), 0);
    EXPECT_EQ(sigaction(SIGUSR2, &before, nullptr), 0);
}

} // namespace

std::span<const generality_case> lazy_time_cases() {
    static const std::vector<generality_case> cases{
        {"clock_settings", {SYS_adjtimex, SYS_clock_adjtime, SYS_clock_settime, SYS_settimeofday}, play_clock_settings},
        {"timers",
         {number_of("alarm"), SYS_setitimer, SYS_getitimer, SYS_timer_create, SYS_timer_settime, SYS_timer_gettime,
          SYS_timer_getoverrun, SYS_timer_delete},
         play_timers},
        {"more_signals",
         {SYS_rt_sigaction, SYS_sigaltstack, SYS_tkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo,
          SYS_pidfd_send_signal},
         play_more_signals},
        {"sigsuspend", {SYS_rt_sigsuspend}, play_sigsuspend},
    };
    return cases;
}

} // namespace laio::test
