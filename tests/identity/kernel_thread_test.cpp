// What the kernel keeps for each of its threads, and so does not go with the application: its name, nice value, CPUs, CPU
// clock, restartable sequences, and who is told of its end. Calls of the `home` route are made at home where home is free.
// Carriers are made by the application, and begin with what it had then. laio_activations(7) tells what follows from that.
#include "acts.hpp"
#include "journey.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fcntl.h>
#include <linux/rseq.h>
#include <pthread.h>
#include <sched.h>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace laio::test {
namespace {

using kernel_thread_identity = identity_test;

std::string name_of(pid_t thread) {
    const descriptor file{open(("/proc/self/task/" + std::to_string(thread) + "/comm").c_str(), O_RDONLY | O_CLOEXEC)};
    std::string name = read_all(file.get(), 64);
    if (!name.empty()) name.pop_back();
    return name;
}

std::string own_name() {
    std::array<char, 16> name{};
    prctl(PR_GET_NAME, name.data());
    return name.data();
}

// ---- Names

TEST_F(kernel_thread_identity, name_is_the_kernel_threads) {
    const std::string before = own_name();
    journey way;
    EXPECT_EQ(pthread_setname_np(pthread_self(), "here"), 0);
    way.leave();
    EXPECT_EQ(own_name(), "laio-carrier");
    EXPECT_EQ(name_of(way.home()), "here");
    // by itself it names who carries it; by the library, who is home
    EXPECT_EQ(pthread_setname_np(pthread_self(), "away"), 0);
    EXPECT_EQ(own_name(), "away");
    EXPECT_EQ(name_of(way.home()), "here");
    way.go_home();
    EXPECT_EQ(own_name(), "here");
    way.leave();
    way.unblock();
    EXPECT_EQ(laio_syscall(SYS_prctl, PR_SET_NAME, "by laio"), 0);
    EXPECT_FALSE(way.is_away());
    EXPECT_EQ(own_name(), "by laio");
    prctl(PR_SET_NAME, before.c_str());
}

// ---- Nice values and CPUs

int nice_of(pid_t thread) { return getpriority(PRIO_PROCESS, static_cast<id_t>(thread)); }

// In a process of its own: an ordinary user cannot take it back.
LAIO_ACT(nice_values) {
    why_no_activations();
    const int before = nice_of(0); // who runs the tests may have been nice
    journey way;
    way.leave();
    const pid_t carrier = kernel_thread();
    way.unblock();
    laio_syscall(SYS_setpriority, PRIO_PROCESS, 0, before + 1);
    report("home +%d, carrier +%d\n", nice_of(way.home()) - before, nice_of(carrier) - before);
    way.leave();
    setpriority(PRIO_PROCESS, 0, before + 2); // by libc: whoever carries us
    report("home +%d, carrier +%d\n", nice_of(way.home()) - before, nice_of(kernel_thread()) - before);
    way.go_home();
    report("home +%d\n", nice_of(0) - before);
    laio_fini();
    why_no_activations();
    way.leave(); // with carriers that were made at home, after it was set
    report("home +%d, carrier +%d\n", nice_of(way.home()) - before, nice_of(kernel_thread()) - before);
    return 0;
}

TEST_F(kernel_thread_identity, nice_value_is_the_kernel_threads) {
    const act_result result = run_act("nice_values");
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.report, "home +1, carrier +0\nhome +1, carrier +2\nhome +1\nhome +1, carrier +1\n");
}

cpu_set_t cpus_of(pid_t thread) {
    cpu_set_t set;
    CPU_ZERO(&set);
    EXPECT_EQ(sched_getaffinity(thread, sizeof set, &set), 0);
    return set;
}

cpu_set_t only(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<unsigned>(cpu), &set);
    return set;
}

int last_of(const cpu_set_t &set) {
    int last = -1;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
        if (CPU_ISSET(static_cast<unsigned>(cpu), &set)) last = cpu;
    return last;
}

// A loop that is pinned stays pinned where it counts: home, and what carries it from then on if it was made then.
TEST_F(kernel_thread_identity, cpus_are_the_kernel_threads) {
    const cpu_set_t all = cpus_of(0);
    if (CPU_COUNT(&all) < 2) GTEST_SKIP() << "one CPU: no set is smaller than another";
    const cpu_set_t one = only(last_of(all));
    journey way;
    way.leave();
    const pid_t early = kernel_thread();
    way.unblock();
    EXPECT_EQ(laio_syscall(SYS_sched_setaffinity, 0, sizeof one, &one), 0);
    EXPECT_FALSE(way.is_away());
    cpu_set_t seen = cpus_of(way.home());
    EXPECT_TRUE(CPU_EQUAL(&seen, &one));
    seen = cpus_of(early);
    EXPECT_TRUE(CPU_EQUAL(&seen, &all)) << "made before";
    way.leave();
    seen = cpus_of(way.home());
    EXPECT_TRUE(CPU_EQUAL(&seen, &one)) << "a journey changes nothing";
    // by pthread_self() it is home, wherever we are; by 0 it is who carries us
    EXPECT_EQ(pthread_setaffinity_np(pthread_self(), sizeof all, &all), 0);
    seen = cpus_of(way.home());
    EXPECT_TRUE(CPU_EQUAL(&seen, &all));
    EXPECT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    seen = cpus_of(kernel_thread());
    EXPECT_TRUE(CPU_EQUAL(&seen, &one));
    EXPECT_EQ(sched_getcpu(), last_of(one));
    seen = cpus_of(way.home());
    EXPECT_TRUE(CPU_EQUAL(&seen, &all));
    way.go_home();
    seen = cpus_of(0);
    EXPECT_TRUE(CPU_EQUAL(&seen, &all));
}

// A process that was pinned before it started stays so in all its threads, and calls that block are noticed there.
TEST_F(kernel_thread_identity, pinned_from_the_start) {
    const cpu_set_t all = cpus_of(0);
    EXPECT_EQ(laio_fini(), 0);
    const cpu_set_t one = only(last_of(all));
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_EQ(why_no_activations(), "");
    at_each_place([&](journey &) {
        const cpu_set_t seen = cpus_of(0);
        EXPECT_TRUE(CPU_EQUAL(&seen, &one));
        EXPECT_EQ(sched_getcpu(), last_of(one));
    });
    EXPECT_EQ(laio_fini(), 0);
    EXPECT_EQ(sched_setaffinity(0, sizeof all, &all), 0);
}

// ---- Clocks

std::int64_t cpu_time_ns(clockid_t clock) {
    timespec time{};
    EXPECT_EQ(clock_gettime(clock, &time), 0);
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// The clock of pthread_getcpuclockid() is home's wherever it is asked; CLOCK_THREAD_CPUTIME_ID is that of whoever asks.
TEST_F(kernel_thread_identity, cpu_clocks_are_the_kernel_threads) {
    clockid_t home_clock{};
    ASSERT_EQ(pthread_getcpuclockid(pthread_self(), &home_clock), 0);
    const std::int64_t work_ns = 20'000'000;
    const auto work = [&](clockid_t clock) {
        for (const std::int64_t end_ns = cpu_time_ns(clock) + work_ns; cpu_time_ns(clock) < end_ns;) {}
    };
    work(CLOCK_THREAD_CPUTIME_ID);
    const std::int64_t at_home_ns = cpu_time_ns(CLOCK_THREAD_CPUTIME_ID);
    journey way;
    way.leave();
    EXPECT_LT(cpu_time_ns(CLOCK_THREAD_CPUTIME_ID), at_home_ns) << "a carrier that has not worked yet";
    clockid_t same_clock{};
    EXPECT_EQ(pthread_getcpuclockid(pthread_self(), &same_clock), 0);
    EXPECT_EQ(same_clock, home_clock);
    const std::int64_t before_ns = cpu_time_ns(home_clock);
    work(CLOCK_THREAD_CPUTIME_ID);
    EXPECT_LT(cpu_time_ns(home_clock) - before_ns, work_ns) << "somebody else worked";
    way.go_home();
    EXPECT_GE(cpu_time_ns(CLOCK_THREAD_CPUTIME_ID), at_home_ns);
    EXPECT_GE(cpu_time_ns(CLOCK_PROCESS_CPUTIME_ID), 2 * work_ns) << "the process's counts all";
}

// ---- Who is told of a thread's end

// PR_SET_PDEATHSIG tells a child of the end of the kernel thread that made it: a carrier ends with the loop.
TEST_F(kernel_thread_identity, child_that_wants_to_know_of_its_parents_end) {
    const auto make = [] {
        pipe_ends ready = make_pipe();
        std::fflush(nullptr);
        const pid_t pid = fork();
        if (pid == 0) {
            prctl(PR_SET_PDEATHSIG, SIGUSR1);
            std::signal(SIGUSR1, SIG_DFL);
            alarm(deadline_s);
            write_all(ready.writer.get(), "r");
            for (;;) pause();
        }
        ready.writer.reset();
        EXPECT_EQ(read_all(ready.reader.get(), 1), "r");
        return pid;
    };
    const auto signal_of = [](pid_t pid) {
        int status = 0;
        EXPECT_EQ(waitpid(pid, &status, 0), pid);
        return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    };
    journey way;
    const pid_t of_home = make();
    way.leave();
    const pid_t of_carrier = make();
    way.go_home();
    way.leave();
    way.go_home();
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), 0) << "both live while the loop does";
    EXPECT_EQ(laio_fini(), 0);
    EXPECT_EQ(signal_of(of_carrier), SIGUSR1);
    EXPECT_EQ(waitpid(of_home, nullptr, WNOHANG), 0);
    kill(of_home, SIGTERM);
    EXPECT_EQ(signal_of(of_home), SIGTERM);
}

// ---- Restartable sequences

#if defined(__x86_64__)
const volatile struct rseq *libc_area() {
    return reinterpret_cast<const volatile struct rseq *>(static_cast<char *>(__builtin_thread_pointer()) +
                                                          __rseq_offset);
}

// libc's area is not the kernel's while the loop lives: it says so, and sched_getcpu() asks the kernel.
TEST_F(kernel_thread_identity, libc_rseq_is_given_up_and_taken_back) {
    if (__rseq_size == 0) GTEST_SKIP() << "libc registered no restartable sequences";
    const auto is_registered = [] { return static_cast<int>(libc_area()->cpu_id) >= 0; };
    EXPECT_FALSE(is_registered());
    at_each_place([&](journey &) { EXPECT_FALSE(is_registered()); });
    EXPECT_EQ(laio_fini(), 0);
    EXPECT_TRUE(is_registered());
    std::thread{[&] { EXPECT_TRUE(is_registered()) << "a thread without a loop"; }}.join();
}
#endif

TEST_F(kernel_thread_identity, knows_its_cpu) {
    const cpu_set_t all = cpus_of(0);
    at_each_place([&](journey &) {
        const cpu_set_t before = cpus_of(0);
        for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
            if (!CPU_ISSET(static_cast<unsigned>(cpu), &all)) continue;
            const cpu_set_t one = only(cpu);
            ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
            EXPECT_EQ(sched_getcpu(), cpu);
            unsigned by_kernel = 0;
            EXPECT_EQ(syscall(SYS_getcpu, &by_kernel, nullptr, nullptr), 0);
            EXPECT_EQ(by_kernel, static_cast<unsigned>(cpu));
        }
        EXPECT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
    });
}

// An allocator's area: the kernel would write into the memory of one thread for another. Activations are off then.
LAIO_ACT(rseq_of_an_allocator) {
    alignas(32) static thread_local std::array<char, 32> area{};
    if (syscall(SYS_rseq, area.data(), area.size(), 0, 0x53053053) != 0) return 77;
    report("%s\n", why_no_activations().c_str());
    laio_fini();
    return syscall(SYS_rseq, area.data(), area.size(), RSEQ_FLAG_UNREGISTER, 0x53053053) == 0 ? 0 : 1;
}

TEST_F(kernel_thread_identity, rseq_of_others_is_respected) {
    std::vector<std::string> command = command_of("rseq_of_an_allocator");
    command.insert(command.begin(), {"env", "GLIBC_TUNABLES=glibc.pthread.rseq=0"});
    const act_result result = run(command);
    if (result.status == 77 << 8) GTEST_SKIP() << "no restartable sequences here";
    EXPECT_EQ(result.status, 0);
    EXPECT_NE(result.report, "\n") << "the kernel writes into an area that does not go along";
}

// ---- Signals that name a kernel thread

std::atomic<pid_t> handled_by{0};

void note_thread(int) { handled_by.store(kernel_thread()); }

TEST_F(kernel_thread_identity, signals_to_oneself) {
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = note_thread;
    ASSERT_EQ(sigaction(SIGUSR2, &action, &before), 0);
    at_each_place([&](journey &) {
        const auto expect_here = [](const char *how) {
            EXPECT_EQ(handled_by.exchange(0), kernel_thread()) << how << ": handled before it returned";
        };
        EXPECT_EQ(std::raise(SIGUSR2), 0);
        expect_here("raise");
        EXPECT_EQ(pthread_kill(pthread_self(), SIGUSR2), 0);
        expect_here("pthread_kill");
        EXPECT_EQ(syscall(SYS_tgkill, getpid(), gettid(), SIGUSR2), 0);
        expect_here("tgkill");
        EXPECT_EQ(laio_syscall(SYS_tgkill, getpid(), gettid(), SIGUSR2), 0);
        expect_here("tgkill through the library");
    });
    sigaction(SIGUSR2, &before, nullptr);
}

// A timer that signals a kernel thread: made where the application is, it goes on signalling that one. Home's, then.
TEST_F(kernel_thread_identity, timer_signals_the_thread_it_was_given) {
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = note_thread;
    ASSERT_EQ(sigaction(SIGUSR2, &action, &before), 0);
    const auto wait_for_one = [](timer_t timer) {
        handled_by.store(0);
        const itimerspec soon{{}, {0, 1'000'000}};
        EXPECT_EQ(timer_settime(timer, 0, &soon, nullptr), 0);
        wait_until([] { return handled_by.load() != 0; });
        return handled_by.load();
    };
    at_each_place([&](journey &) {
        sigevent event{};
        event.sigev_notify = SIGEV_THREAD_ID;
        event.sigev_signo = SIGUSR2;
        event._sigev_un._tid = gettid();
        timer_t timer{};
        ASSERT_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
        EXPECT_EQ(wait_for_one(timer), kernel_thread());
        EXPECT_EQ(timer_delete(timer), 0);
    });
    sigaction(SIGUSR2, &before, nullptr);
}

} // namespace
} // namespace laio::test
