// Handlers run once each, see the thread-local variables of one thread, and errno is not changed under the application.
#include "carried.hpp"
#include "handling.hpp"

#include <array>
#include <cerrno>
#include <csetjmp>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace laio::test {
namespace {

class signals_handlers : public signals {};

// ---- Signals that pour in from another process -----------------------------------------------------------------------

constexpr int poured = 5000;
constexpr unsigned long pattern_of_application = 0x5a5a5a5a;
constexpr int errno_of_application = 1234;

thread_local volatile unsigned long scratch = 0;
std::array<std::atomic<int>, poured> seen{};
std::atomic<int> torn{0};
pthread_t application_thread;

// Writes what is the thread's own and looks whether somebody else does so meanwhile; puts it back, as handlers should.
void scribble(int, siginfo_t *info, void *) {
    const int error_before = errno;
    const unsigned long before = scratch;
    for (unsigned long i = 1; i <= 30; ++i) {
        errno = static_cast<int>(i);
        scratch = ~i;
        if (errno != static_cast<int>(i) || scratch != ~i) ++torn;
    }
    scratch = before;
    errno = error_before;
    ++seen.at(static_cast<std::size_t>(info->si_value.sival_int));
    ++handled;
}

// As runtimes do that want their signals on one thread.
void pass_on(int number) {
    if (pthread_equal(pthread_self(), application_thread) != 0) ++handled;
    else pthread_kill(application_thread, number);
}

void expect_own_variables() {
    errno = errno_of_application;
    scratch = pattern_of_application;
    for (int i = 0; i < 2000; ++i) {
        ASSERT_EQ(errno, errno_of_application);
        ASSERT_EQ(scratch, pattern_of_application);
        ASSERT_NE(pthread_equal(pthread_self(), application_thread), 0);
    }
}

pid_t pour(int number, int count) {
    const pid_t target = getpid();
    const pid_t pid = fork();
    if (pid != 0) return pid;
    for (int i = 0; i < count; ++i) {
        sigval value{};
        value.sival_int = i;
        while (sigqueue(target, number, value) != 0) sched_yield();
        if (i % 4 == 3) usleep(20);
    }
    _exit(0);
}

void is_busy_while_signals_pour_in(int flags) {
    run_in_child([&] {
        application_thread = pthread_self();
        application self;
        struct sigaction action {};
        action.sa_sigaction = scribble;
        action.sa_flags = SA_SIGINFO | flags;
        sigaction(SIGRTMIN + 2, &action, nullptr);
        const pid_t sender = pour(SIGRTMIN + 2, poured);
        for (int round = 0; handled < poured; ++round) {
            expect_own_variables();
            self.block(1 + round % 4);
            expect_own_variables();
            self.home();
        }
        waitpid(sender, nullptr, 0);
        self.home();
        EXPECT_EQ(handled, poured);
        EXPECT_EQ(torn, 0);
        for (const auto &one : seen) EXPECT_EQ(one, 1);
    });
}

TEST_F(signals_handlers, none_sees_or_changes_what_is_anothers) { is_busy_while_signals_pour_in(SA_RESTART); }

TEST_F(signals_handlers, none_sees_or_changes_what_is_anothers_without_restart) { is_busy_while_signals_pour_in(0); }

TEST_F(signals_handlers, one_that_passes_its_signal_on_to_the_application_ends) {
    run_in_child([] {
        application_thread = pthread_self();
        application self;
        handle(SIGRTMIN + 2, pass_on);
        const pid_t sender = pour(SIGRTMIN + 2, poured);
        for (int round = 0; handled < poured; ++round) {
            self.block(1 + round % 4);
            self.home();
        }
        waitpid(sender, nullptr, 0);
        EXPECT_EQ(handled, poured);
    });
}

// Not on the threads that were left behind in calls, where it would run beside the application.
TEST_F(signals_handlers, a_process_directed_signal_is_handled_by_the_application_in_each_place) {
    run_in_child([] {
        application_thread = pthread_self();
        application self;
        handle(SIGUSR1, [](int) {
            if (pthread_equal(pthread_self(), application_thread) != 0) ++handled;
        });
        in_each_place(self, [](const char *place) {
            handled = 0;
            for (int i = 1; i <= 20; ++i) {
                kill(getpid(), SIGUSR1); // the kernel delivers it before kill() returns if this thread takes it
                EXPECT_EQ(handled, i) << place;
            }
        });
        self.block(5);
        handled = 0;
        kill(getpid(), SIGUSR1);
        EXPECT_EQ(handled, 1);
    });
}

// ---- Signals for a thread --------------------------------------------------------------------------------------------

TEST_F(signals_handlers, raise_and_pthread_kill_are_handled_before_they_return) {
    run_in_child([] {
        application self;
        handle(SIGUSR1, count);
        in_each_place(self, [](const char *place) {
            handled = 0;
            raise(SIGUSR1);
            EXPECT_EQ(handled, 1) << place;
            pthread_kill(pthread_self(), SIGUSR1);
            EXPECT_EQ(handled, 2) << place;
            syscall(SYS_tgkill, getpid(), gettid(), SIGUSR1);
            EXPECT_EQ(handled, 3) << place;
        });
    });
}

// libc knows the application by the thread id of home. While it is carried, home takes nothing: the signal waits for it.
TEST_F(signals_handlers, a_signal_for_home_waits_until_the_application_is_home) {
    for (const bool home_parked : {false, true}) {
        run_in_child([&] {
            application_thread = pthread_self();
            application self;
            handle(SIGUSR1, [](int) {
                if (pthread_equal(pthread_self(), application_thread) != 0) ++handled;
            });
            const std::size_t first = self.block();
            self.away();
            if (home_parked) self.park_home(first);
            std::thread{[] { pthread_kill(application_thread, SIGUSR1); }}.join();
            syscall(SYS_tgkill, getpid(), self.home_thread(), SIGUSR1); // one signal with the one before
            EXPECT_EQ(handled, 0);
            self.home();
            EXPECT_EQ(handled, 1);
            std::thread{[] { pthread_kill(application_thread, SIGUSR1); }}.join();
            EXPECT_EQ(handled, 2);
        });
    }
}

TEST_F(signals_handlers, what_was_raised_and_blocked_at_home_is_handled_there) {
    run_in_child([] {
        application self;
        handle(SIGUSR1, count);
        block_signal(SIGUSR1);
        raise(SIGUSR1); // pending for home's thread, not for the process
        self.away();
        unblock_signal(SIGUSR1);
        EXPECT_EQ(handled, 0);
        self.home();
        EXPECT_EQ(handled, 1);
    });
}

// ---- Calls that a handler interrupts ---------------------------------------------------------------------------------

// Without SA_RESTART it gives EINTR as the plain call does, if it was not left behind yet; else it goes on.
TEST_F(signals_handlers, a_call_left_behind_is_not_interrupted) {
    run_in_child([] {
        application self;
        handle(SIGUSR1, count, 0);
        std::vector<std::size_t> places;
        for (int i = 0; i < 8; ++i) {
            places.push_back(self.block());
            for (int k = 0; k < 10; ++k) kill(getpid(), SIGUSR1);
            syscall(SYS_tgkill, getpid(), self.home_thread(), SIGUSR1);
        }
        for (const std::size_t place : places) {
            const ended_call ended = self.end(place);
            EXPECT_EQ(ended.value, 1);
            EXPECT_EQ(ended.error, 0);
        }
        EXPECT_GE(handled, 80);
    });
}

TEST_F(signals_handlers, a_call_is_interrupted_or_blocks) {
    run_in_child([] {
        application self;
        handle(SIGALRM, count, 0);
        const itimerval often{{0, 150}, {0, 150}};
        setitimer(ITIMER_REAL, &often, nullptr);
        int interrupted = 0;
        for (int i = 0; i < 1000; ++i) {
            if (!self.try_block()) ++interrupted; // EINTR; anything else throws
            if (i % 8 == 7) self.home();
        }
        constexpr itimerval never{};
        setitimer(ITIMER_REAL, &never, nullptr);
        self.home(); // every call gives its byte
        std::printf("    %d of 1000 calls were interrupted, %d signals\n", interrupted, handled.load());
    });
}

// ---- Jumps out of handlers -------------------------------------------------------------------------------------------

sigjmp_buf way_out;

TEST_F(signals_handlers, one_may_jump_out_of_the_applications_code) {
    run_in_child([] {
        application self;
        handle(SIGUSR1, [](int) { siglongjmp(way_out, 1); });
        in_each_place(self, [&](const char *place) {
            const pid_t carrier = gettid();
            if (sigsetjmp(way_out, 1) == 0) {
                kill(getpid(), SIGUSR1);
                ADD_FAILURE() << "not handled " << place;
            }
            EXPECT_EQ(gettid(), carrier) << place;
            EXPECT_FALSE(is_blocked(SIGUSR1)) << place;
        });
        self.away();
        self.away();
        self.home();
    });
}

TEST_F(signals_handlers, a_null_pointer_is_caught_in_each_place) {
    run_in_child([] {
        application self;
        handle(SIGSEGV, [](int) { siglongjmp(way_out, 1); });
        in_each_place(self, [&](const char *place) {
            if (sigsetjmp(way_out, 1) == 0) {
                static int *volatile nowhere = nullptr;
                *nowhere = 1;
                ADD_FAILURE() << "not handled " << place;
            }
        });
    });
}

} // namespace
} // namespace laio::test
