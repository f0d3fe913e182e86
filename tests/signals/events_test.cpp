// What the kernel sends of itself: the death of a child, timers, a broken pipe; and a process that is stopped meanwhile.
#include "carried.hpp"
#include "handling.hpp"

#include <cerrno>
#include <ctime>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace laio::test {
namespace {

class signals_events : public signals {};

// Any signal ends pause(2), so it is not waited for there: the handler may have run before.
void wait_until_handled(int times) {
    wait_until([=] { return handled >= times; });
}

TEST_F(signals_events, a_child_that_dies_is_told_of_in_each_place) {
    run_in_child([] {
        application self;
        handle(SIGCHLD, count, SA_RESTART);
        in_each_place(self, [&](const char *place) {
            handled = 0;
            const pid_t child = fork();
            if (child == 0) _exit(5);
            wait_until_handled(1);
            int status = 0;
            EXPECT_EQ(waitpid(child, &status, 0), child) << place;
            EXPECT_EQ(WEXITSTATUS(status), 5) << place;
            EXPECT_EQ(handled, 1) << place;
        });
    });
}

TEST_F(signals_events, a_child_dies_while_its_parent_waits_in_laio_poll) {
    run_in_child([] {
        application self;
        handle(SIGCHLD, count, 0);
        self.away();
        const pid_t child = fork();
        if (child == 0) _exit(5);
        laio_completion done{};
        while (handled == 0) {
            const int r = laio_poll(&done, 1, nullptr);
            EXPECT_TRUE(r == -1 && errno == EINTR) << r;
        }
        EXPECT_EQ(waitpid(child, nullptr, 0), child);
    });
}

TEST_F(signals_events, an_interval_timer_goes_off_in_each_place) {
    run_in_child([] {
        application self;
        handle(SIGALRM, count);
        in_each_place(self, [](const char *) {
            handled = 0;
            const itimerval soon{{0, 500}, {0, 500}};
            setitimer(ITIMER_REAL, &soon, nullptr);
            wait_until_handled(5);
            constexpr itimerval never{};
            setitimer(ITIMER_REAL, &never, nullptr);
        });
        self.home();
        handled = 0;
        const itimerval soon{{0, 500}, {0, 500}}; // set at home, goes off in between
        setitimer(ITIMER_REAL, &soon, nullptr);
        for (int i = 0; i < 20; ++i) {
            self.block(2);
            wait_until_handled(i);
            self.home();
        }
    });
}

TEST_F(signals_events, a_timer_for_the_process_goes_off_in_each_place) {
    run_in_child([] {
        application self;
        handle(SIGUSR1, count);
        sigevent event{};
        event.sigev_notify = SIGEV_SIGNAL;
        event.sigev_signo = SIGUSR1;
        timer_t timer{};
        ASSERT_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
        in_each_place(self, [&](const char *place) {
            handled = 0;
            const itimerspec soon{{0, 500'000}, {0, 500'000}};
            EXPECT_EQ(timer_settime(timer, 0, &soon, nullptr), 0) << place;
            wait_until_handled(3);
        });
        timer_delete(timer);
    });
}

// It is home's thread that the kernel was told of: what goes off while the application is carried waits for home.
TEST_F(signals_events, a_timer_for_the_thread_waits_for_home) {
    run_in_child([] {
        application self;
        handle(SIGUSR1, count);
        sigevent event{};
        event.sigev_notify = SIGEV_THREAD_ID;
        event.sigev_signo = SIGUSR1;
        event._sigev_un._tid = gettid();
        timer_t timer{};
        ASSERT_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
        self.away();
        const itimerspec soon{{0, 0}, {0, 1}};
        EXPECT_EQ(timer_settime(timer, 0, &soon, nullptr), 0);
        wait_until([&] {
            itimerspec left{};
            timer_gettime(timer, &left);
            return left.it_value.tv_nsec == 0 && left.it_value.tv_sec == 0;
        });
        EXPECT_EQ(handled, 0);
        self.home();
        EXPECT_EQ(handled, 1);
        EXPECT_EQ(timer_settime(timer, 0, &soon, nullptr), 0);
        wait_until_handled(2);
        timer_delete(timer);
    });
}

// ---- Stopped and continued -------------------------------------------------------------------------------------------

TEST_F(signals_events, a_process_is_stopped_and_continued_while_calls_block) {
    run_in_child([] {
        const pid_t stopped = getpid();
        pipe_ends to = make_pipe();
        pipe_ends from = make_pipe();
        const pid_t helper = fork();
        if (helper == 0) {
            to.writer.reset();
            while (read_all(to.reader.get(), 1) == "s") {
                kill(stopped, SIGSTOP);
                const std::string file = "/proc/" + std::to_string(stopped) + "/stat";
                wait_until([&] {
                    const descriptor stat{open(file.c_str(), O_RDONLY | O_CLOEXEC)};
                    return read_all(stat.get(), 64).find(") T ") != std::string::npos;
                });
                kill(stopped, SIGCONT);
                write_all(from.writer.get(), "c");
            }
            _exit(0);
        }
        application self;
        for (int round = 0; round < 20; ++round) {
            std::vector<std::size_t> places;
            for (int i = 0; i < 4; ++i) places.push_back(self.block());
            write_all(to.writer.get(), "s");
            EXPECT_EQ(read_all(from.reader.get(), 1), "c");
            for (const std::size_t place : places) {
                const ended_call ended = self.end(place);
                EXPECT_EQ(ended.value, 1);
                EXPECT_EQ(ended.error, 0);
            }
            self.home();
        }
        to.writer.reset();
        waitpid(helper, nullptr, 0);
    });
}

// ---- SIGPIPE ---------------------------------------------------------------------------------------------------------

TEST_F(signals_events, sigpipe_of_a_call_in_place) {
    run_in_child([] {
        application self;
        handle(SIGPIPE, count);
        in_each_place(self, [](const char *place) {
            handled = 0;
            pipe_ends from = make_pipe();
            pipe_ends to = make_pipe();
            write_all(from.writer.get(), "x");
            to.reader.reset();
            EXPECT_EQ(laio_syscall(SYS_splice, from.reader.get(), nullptr, to.writer.get(), nullptr, 1, 0), -1)
                << place;
            EXPECT_EQ(errno, EPIPE) << place;
            EXPECT_EQ(handled, 1) << place;
        });
        self.block(3);
        self.home();
        EXPECT_EQ(handled, 1); // no more of the last
    });
}

// Not once by the thread that was left behind and once more with the completion, nor later.
TEST_F(signals_events, sigpipe_of_a_call_left_behind_comes_once) {
    for (const bool at_home : {true, false}) {
        run_in_child([&] {
            application self;
            handle(SIGPIPE, count);
            if (!at_home) self.block();
            const std::size_t place = self.block();
            self.break_pipe(place);
            const ended_call ended = self.wait(place);
            EXPECT_EQ(ended.value, -1);
            EXPECT_EQ(ended.error, EPIPE);
            EXPECT_EQ(handled, 1);
            self.block(4); // carriers that made such calls carry the application
            self.home();
            EXPECT_EQ(handled, 1);
        });
    }
}

TEST_F(signals_events, an_ignored_sigpipe_stays_ignored) {
    run_in_child([] {
        application self;
        std::signal(SIGPIPE, SIG_IGN);
        const std::size_t place = self.block();
        self.break_pipe(place);
        EXPECT_EQ(self.wait(place).error, EPIPE);
        self.block(3);
        self.home();
    });
}

TEST_F(signals_events, a_blocked_sigpipe_is_pending) {
    run_in_child([] {
        application self;
        block_signal(SIGPIPE);
        const std::size_t place = self.block();
        self.break_pipe(place);
        EXPECT_EQ(self.wait(place).error, EPIPE);
        EXPECT_TRUE(is_pending(SIGPIPE));
        const sigset_t set = set_of(SIGPIPE);
        constexpr timespec at_once{};
        EXPECT_EQ(sigtimedwait(&set, nullptr, &at_once), SIGPIPE);
        EXPECT_FALSE(is_pending(SIGPIPE));
        self.block(3);
        EXPECT_FALSE(is_pending(SIGPIPE));
        self.home();
        EXPECT_FALSE(is_pending(SIGPIPE));
    });
}

} // namespace
} // namespace laio::test
