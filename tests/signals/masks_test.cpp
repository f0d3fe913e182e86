// The mask of blocked signals goes with the application, and what it blocks stays pending.
#include "carried.hpp"
#include "handling.hpp"

#include <cerrno>
#include <fstream>
#include <sched.h>
#include <string>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace laio::test {
namespace {

class signals_masks : public signals {};

void expect_blocked_and_not(int blocked, int open) {
    EXPECT_TRUE(is_blocked(blocked));
    EXPECT_FALSE(is_blocked(open));
}

void expect_pending_until_unblocked(int number) {
    EXPECT_TRUE(is_pending(number));
    EXPECT_EQ(handled, 0);
    unblock_signal(number);
    EXPECT_EQ(handled, 1);
}

// What that thread blocks.
std::uint64_t mask_of(pid_t thread) {
    std::ifstream status{"/proc/self/task/" + std::to_string(thread) + "/status"};
    const std::string_view key = "SigBlk:";
    for (std::string line; std::getline(status, line);)
        if (line.starts_with(key)) return std::stoull(line.substr(key.size()), nullptr, 16);
    return 0;
}

TEST_F(signals_masks, what_is_blocked_at_home_is_blocked_while_carried) {
    run_in_child([] {
        application self;
        block_signal(SIGUSR1);
        self.away();
        expect_blocked_and_not(SIGUSR1, SIGUSR2);
        self.away(); // from one carrier to the next
        expect_blocked_and_not(SIGUSR1, SIGUSR2);
        self.home();
        expect_blocked_and_not(SIGUSR1, SIGUSR2);
    });
}

TEST_F(signals_masks, what_is_blocked_while_carried_is_blocked_at_home) {
    run_in_child([] {
        application self;
        block_signal(SIGUSR2);
        self.away();
        block_signal(SIGUSR1);
        unblock_signal(SIGUSR2);
        self.home();
        expect_blocked_and_not(SIGUSR1, SIGUSR2);
        self.away();
        expect_blocked_and_not(SIGUSR1, SIGUSR2);
    });
}

// Without a handler nobody was interrupted. What would end the process may not find a thread that lets it in.
TEST_F(signals_masks, what_is_blocked_later_is_blocked_where_calls_were_left_behind) {
    run_in_child([] {
        application self;
        const std::size_t place = self.block();
        block_signal(SIGUSR1);
        laio_completion completion;
        const timespec at_once{};
        EXPECT_EQ(laio_poll(&completion, 1, &at_once), 0);
        wait_until([&] { return (mask_of(self.home_thread()) >> (SIGUSR1 - 1) & 1) != 0; });
        kill(getpid(), SIGUSR1);
        EXPECT_TRUE(is_pending(SIGUSR1));
        EXPECT_EQ(self.end(place).value, 1);
    });
}

// Every carrier carries on with the same mask, whatever it had before.
TEST_F(signals_masks, the_mask_stays_with_the_application_over_many_calls) {
    run_in_child([] {
        application self;
        for (int round = 0; round < 20; ++round) {
            const int number = round % 2 == 0 ? SIGUSR1 : SIGUSR2;
            const int other = round % 2 == 0 ? SIGUSR2 : SIGUSR1;
            block_signal(number);
            unblock_signal(other);
            self.block(3);
            expect_blocked_and_not(number, other);
            self.home();
            expect_blocked_and_not(number, other);
        }
    });
}

TEST_F(signals_masks, a_blocked_signal_stays_pending_in_each_place) {
    run_in_child([] {
        application self;
        handle(SIGUSR1, count);
        block_signal(SIGUSR1);
        in_each_place(self, [](const char *place) {
            handled = 0;
            kill(getpid(), SIGUSR1);
            EXPECT_TRUE(is_pending(SIGUSR1)) << place;
            EXPECT_EQ(handled, 0) << place;
            unblock_signal(SIGUSR1);
            EXPECT_EQ(handled, 1) << place;
            EXPECT_FALSE(is_pending(SIGUSR1)) << place;
            block_signal(SIGUSR1);
        });
    });
}

TEST_F(signals_masks, a_signal_that_is_pending_at_home_is_handled_while_carried) {
    run_in_child([] {
        application self;
        handle(SIGUSR1, count);
        block_signal(SIGUSR1);
        kill(getpid(), SIGUSR1);
        self.away();
        expect_pending_until_unblocked(SIGUSR1);
    });
}

TEST_F(signals_masks, a_signal_that_is_pending_while_carried_is_handled_at_home) {
    run_in_child([] {
        application self;
        handle(SIGUSR1, count);
        block_signal(SIGUSR1);
        self.away();
        kill(getpid(), SIGUSR1);
        self.home();
        expect_pending_until_unblocked(SIGUSR1);
    });
}

// Nobody else of the process may take it: not the thread that was left behind in the call, nor those at rest.
TEST_F(signals_masks, a_signal_blocked_while_carried_is_not_handled_by_a_thread_that_was_left_behind) {
    run_in_child([] {
        application self;
        handle(SIGUSR1, count);
        self.block(5); // each left its thread with SIGUSR1 open
        block_signal(SIGUSR1);
        for (int i = 0; i < 100; ++i) kill(getpid(), SIGUSR1);
        EXPECT_TRUE(is_pending(SIGUSR1));
        for (int i = 0; i < 100; ++i) sched_yield();
        self.end_all();
        EXPECT_EQ(handled, 0);
        unblock_signal(SIGUSR1);
        EXPECT_EQ(handled, 1);
    });
}

// The kernel queues each of these; none is lost, in whichever place it comes.
TEST_F(signals_masks, real_time_signals_are_counted) {
    run_in_child([] {
        application self;
        handle(SIGRTMIN + 1, count);
        block_signal(SIGRTMIN + 1);
        int sent = 0;
        in_each_place(self, [&](const char *) {
            for (int i = 0; i < 10; ++i, ++sent) kill(getpid(), SIGRTMIN + 1);
        });
        EXPECT_EQ(handled, 0);
        self.away();
        unblock_signal(SIGRTMIN + 1);
        EXPECT_EQ(handled, sent);
    });
}

TEST_F(signals_masks, sigtimedwait_takes_a_signal_in_each_place) {
    run_in_child([] {
        application self;
        block_signal(SIGUSR1);
        in_each_place(self, [](const char *place) {
            const sigset_t set = set_of(SIGUSR1);
            constexpr timespec at_once{};
            EXPECT_EQ(sigtimedwait(&set, nullptr, &at_once), -1) << place;
            kill(getpid(), SIGUSR1);
            int number = 0;
            EXPECT_EQ(sigwait(&set, &number), 0) << place;
            EXPECT_EQ(number, SIGUSR1) << place;
            sigval value{};
            value.sival_int = 42;
            sigqueue(getpid(), SIGUSR1, value);
            siginfo_t info{};
            EXPECT_EQ(sigtimedwait(&set, &info, nullptr), SIGUSR1) << place;
            EXPECT_EQ(info.si_value.sival_int, 42) << place;
        });
    });
}

TEST_F(signals_masks, a_signalfd_is_read_in_each_place) {
    run_in_child([] {
        application self;
        block_signal(SIGUSR1);
        const sigset_t set = set_of(SIGUSR1);
        const descriptor file{signalfd(-1, &set, SFD_CLOEXEC)};
        in_each_place(self, [&](const char *place) {
            signalfd_siginfo info{};
            // nothing there: it waits in the background
            EXPECT_EQ(laio_syscall(SYS_read, file.get(), &info, sizeof info), -1) << place;
            EXPECT_EQ(errno, EINPROGRESS) << place;
            const laio_handle_t handle = laio_gethandle();
            laio_setdata(handle, nullptr);
            kill(getpid(), SIGUSR1);
            laio_completion done{};
            EXPECT_EQ(laio_poll(&done, 1, nullptr), 1) << place;
            EXPECT_EQ(done.laio_handle, handle) << place;
            EXPECT_EQ(done.laio_return_value, static_cast<long>(sizeof info)) << place;
            EXPECT_EQ(info.ssi_signo, static_cast<unsigned>(SIGUSR1)) << place;
            kill(getpid(), SIGUSR1);
            EXPECT_EQ(read(file.get(), &info, sizeof info), static_cast<long>(sizeof info)) << place;
        });
    });
}

TEST_F(signals_masks, sigsuspend_lets_a_signal_through_in_each_place) {
    run_in_child([] {
        application self;
        handle(SIGUSR1, count);
        block_signal(SIGUSR1);
        in_each_place(self, [](const char *place) {
            handled = 0;
            kill(getpid(), SIGUSR1);
            sigset_t none;
            sigemptyset(&none);
            EXPECT_EQ(sigsuspend(&none), -1) << place;
            EXPECT_EQ(handled, 1) << place;
            EXPECT_TRUE(is_blocked(SIGUSR1)) << place;
        });
    });
}

} // namespace
} // namespace laio::test
