// Calls on processes, identity, limits and time: getpid(2), wait4(2), kill(2), nanosleep(2), clock_gettime(2), getrandom(2).
#include "generality/cases.hpp"

#include <csignal>
#include <ctime>
#include <linux/futex.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

namespace laio::test {
namespace {

void play_identity(stage &s) {
    s.note("own", static_cast<long>(s.call_for_value(SYS_getpid) == getpid()));
    s.note("parent", static_cast<long>(s.call_for_value(SYS_getppid) == getppid()));
    s.note("thread", static_cast<long>(s.call_for_value(SYS_gettid) == gettid()));
    s.call(SYS_getuid);
    s.call(SYS_geteuid);
    s.call(SYS_getgid);
    s.call(SYS_getegid);
    s.note("group", static_cast<long>(s.call_for_value(SYS_getpgid, 0) == getpgid(0)));
    s.note("session", static_cast<long>(s.call_for_value(SYS_getsid, 0) == getsid(0)));
    s.call_for_value(SYS_getpgid, -5);
}

void play_wait4(stage &s) {
    waiting_child child = make_waiting_child();
    int status = 0;
    rusage usage{};
    s.call(SYS_wait4, child.pid, &status, WNOHANG, nullptr);
    const pid_t pid = child.pid;
    // call_while notes the value, which is a process id: waitid's is none.
    siginfo_t info{};
    s.call_while([&] { child.leash.reset(); }, SYS_waitid, P_PID, pid, &info, WEXITED | WNOWAIT, nullptr);
    s.note("code", static_cast<long>(info.si_code));
    s.note("status", static_cast<long>(info.si_status));
    s.note("which", static_cast<long>(info.si_pid == pid));
    s.note("which", static_cast<long>(s.call_for_value(SYS_wait4, pid, &status, 0, &usage) == pid));
    s.note("status", static_cast<long>(status));
    s.call(SYS_wait4, pid, &status, 0, nullptr);
    s.call(SYS_waitid, 99, pid, &info, WEXITED, nullptr);
}

void play_kill(stage &s) {
    const waiting_child child = make_waiting_child();
    s.call(SYS_kill, child.pid, 0);
    s.call(SYS_kill, getpid(), 999);
    s.call(SYS_kill, child.pid, SIGKILL);
    siginfo_t info{};
    EXPECT_EQ(waitid(P_PID, static_cast<id_t>(child.pid), &info, WEXITED | WNOWAIT), 0);
    int status = 0;
    s.note("which", static_cast<long>(s.call_for_value(SYS_wait4, child.pid, &status, 0, nullptr) == child.pid));
    s.note("status", static_cast<long>(status));
    s.call(SYS_kill, child.pid, 0);
    s.call(SYS_tgkill, getpid(), getpid(), 0);
}

void play_limits(stage &s) {
    rlimit limit{};
    s.call(SYS_getrlimit, RLIMIT_NOFILE, &limit);
    s.note("limit", static_cast<long>(limit.rlim_cur));
    s.call(SYS_prlimit64, 0, RLIMIT_NOFILE, nullptr, &limit);
    s.note("limit", static_cast<long>(limit.rlim_max));
    s.call(SYS_setrlimit, RLIMIT_NOFILE, &limit);
    s.call(SYS_getrlimit, 999, &limit);
    rusage usage{};
    s.call(SYS_getrusage, RUSAGE_SELF, &usage);
    s.call(SYS_getpriority, PRIO_PROCESS, 0);
}

void play_system(stage &s) {
    utsname name{};
    s.call(SYS_uname, &name);
    s.note("machine", name.machine);
    s.note("release", name.release);
    s.call(SYS_uname, 8);
    struct sysinfo info {};
    s.call(SYS_sysinfo, &info);
    s.note("memory", static_cast<long>(info.totalram));
    tms times{};
    s.call_for_value(SYS_times, &times);
}

void play_sleeps(stage &s) {
    const timespec brief{0, 2000000};
    const timespec nonsense{0, 2000000000};
    timespec rest{};
    s.call_that_waits(SYS_nanosleep, &brief, &rest);
    s.call(SYS_nanosleep, &nonsense, nullptr);
    s.call(SYS_nanosleep, nullptr, nullptr);
    s.call_that_waits(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &brief, nullptr);
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    // The kernel sleeps until its timer for that has run, however late it is.
    s.call_that_waits(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &now, nullptr);
    s.call(SYS_clock_nanosleep, 999, 0, &brief, nullptr);
    timespec after{};
    clock_gettime(CLOCK_MONOTONIC, &after);
}

void play_sleep_takes_its_time(stage &s) {
    timespec before{};
    timespec after{};
    clock_gettime(CLOCK_MONOTONIC, &before);
    const timespec asked{0, 20000000};
    s.call_that_waits(SYS_nanosleep, &asked, nullptr);
    clock_gettime(CLOCK_MONOTONIC, &after);
    const long passed_ns = (after.tv_sec - before.tv_sec) * 1000000000L + after.tv_nsec - before.tv_nsec;
    s.note("at least what was asked for", static_cast<long>(passed_ns >= asked.tv_nsec));
}

void play_clocks(stage &s) {
    timespec now{};
    s.call(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    s.note("is set", static_cast<long>(now.tv_sec > 0 || now.tv_nsec > 0));
    s.call(SYS_clock_gettime, 999, &now);
    s.call(SYS_clock_getres, CLOCK_MONOTONIC, &now);
    s.note("resolution", now.tv_nsec);
    timeval day{};
    s.call(SYS_gettimeofday, &day, nullptr);
    s.note("is set", static_cast<long>(day.tv_sec > 0));
    s.call_for_value(SYS_time, nullptr);
}

void play_getrandom(stage &s) {
    std::array<char, 64> bytes{};
    s.call(SYS_getrandom, bytes.data(), bytes.size(), 0);
    s.note("is set", static_cast<long>(std::string_view{bytes.data(), bytes.size()} != std::string(64, '\0')));
    s.call(SYS_getrandom, bytes.data(), bytes.size(), 0xff00);
    s.call(SYS_getrandom, 8, 16, 0);
}

void play_schedule(stage &s) {
    s.call(SYS_sched_yield);
    s.call(SYS_sched_getscheduler, 0);
    unsigned cpu = 0;
    s.call(SYS_getcpu, &cpu, nullptr, nullptr);
    s.call(SYS_sched_get_priority_max, SCHED_FIFO);
}

void play_signals(stage &s) {
    sigset_t pending{};
    s.call(SYS_rt_sigpending, &pending, 8);
    sigset_t mask{};
    s.call(SYS_rt_sigprocmask, SIG_BLOCK, nullptr, &mask, 8);
    s.call(SYS_rt_sigprocmask, SIG_BLOCK, nullptr, &mask, 3);
    sigset_t set{};
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigset_t before{};
    EXPECT_EQ(pthread_sigmask(SIG_BLOCK, &set, &before), 0);
    EXPECT_EQ(kill(getpid(), SIGUSR1), 0); // raise(3) means the home thread
    siginfo_t info{};
    const timespec none{0, 0};
    s.call(SYS_rt_sigtimedwait, &set, &info, &none, 8);
    s.note("signal", static_cast<long>(info.si_signo));
    EXPECT_EQ(pthread_sigmask(SIG_SETMASK, &before, nullptr), 0);
}

void play_futex(stage &s) {
    alignas(4) static unsigned word;
    word = 5;
    s.call(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
    s.call(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 4, nullptr, nullptr, 0);
    const timespec brief{0, 2000000};
    s.call_that_waits(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 5, &brief, nullptr, 0);
    s.call(SYS_futex, 8, FUTEX_WAIT, 5, nullptr, nullptr, 0);
    s.call_while(
        [] {
            // The waiter may not be asleep yet: wake until one was there.
            __atomic_store_n(&word, 5, __ATOMIC_SEQ_CST);
            wait_until([] { return syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0) == 1; });
        },
        SYS_futex, &word, FUTEX_WAIT_PRIVATE, 5, nullptr, nullptr, 0);
}

} // namespace

std::span<const generality_case> process_cases() {
    static const std::vector<generality_case> cases{
        {"identity",
         {SYS_getpid, SYS_getppid, SYS_gettid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_getpgid,
          SYS_getsid},
         play_identity},
        {"wait4", {SYS_wait4, SYS_waitid}, play_wait4},
        {"kill", {SYS_kill, SYS_tgkill}, play_kill},
        {"limits", {SYS_getrlimit, SYS_setrlimit, SYS_prlimit64, SYS_getrusage, SYS_getpriority}, play_limits},
        {"system", {SYS_uname, SYS_sysinfo, SYS_times}, play_system},
        {"sleeps", {SYS_nanosleep, SYS_clock_nanosleep}, play_sleeps},
        {"sleep_takes_its_time", {SYS_nanosleep}, play_sleep_takes_its_time, false, true},
        {"clocks", {SYS_clock_gettime, SYS_clock_getres, SYS_gettimeofday, SYS_time}, play_clocks},
        {"getrandom", {SYS_getrandom}, play_getrandom},
        {"schedule", {SYS_sched_yield, SYS_sched_getscheduler, SYS_getcpu, SYS_sched_get_priority_max}, play_schedule},
        {"signals", {SYS_rt_sigpending, SYS_rt_sigprocmask, SYS_rt_sigtimedwait}, play_signals},
        {"futex", {SYS_futex}, play_futex},
    };
    return cases;
}

} // namespace laio::test
