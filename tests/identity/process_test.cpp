// Children: made from home, while carried and home again, by every way that there is. The child is a process of its own with
// a loop of its own; the parent's calls go on as if there had been none.
#include "acts.hpp"
#include "journey.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <semaphore>
#include <spawn.h>
#include <string>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

extern char **environ;

namespace laio::test {
namespace {

using process_identity = identity_test;

int status_of(pid_t pid) {
    int status = -1;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    return status;
}

// As status_of(), through the library.
int status_by_library(pid_t pid) {
    int status = -1;
    if (laio_syscall(SYS_wait4, pid, &status, 0, nullptr) == pid) return status;
    const laio_handle_t handle = laio_gethandle();
    EXPECT_NE(handle, nullptr);
    const laio_completion completion = next_completion();
    EXPECT_EQ(completion.laio_handle, handle);
    EXPECT_EQ(completion.laio_return_value, pid);
    return status;
}

// Everything afresh, in the child of a fork.
void expect_child_is_well() {
    EXPECT_EQ(laio_outstanding(), 0);
    EXPECT_EQ(kernel_thread(), getpid()) << "its only thread";
    EXPECT_EQ(threads(), 1U);
    EXPECT_EQ(why_no_activations(), "");
    EXPECT_EQ(laio_syscall(SYS_gettid), getpid());
    journey own;
    own.leave();
    EXPECT_TRUE(own.is_away());
    own.go_home();
    std::thread{[] {
        EXPECT_EQ(why_no_activations(), "");
        journey another;
        another.leave();
        another.go_home();
    }}.join();
    own.leave();
    EXPECT_EQ(laio_fini(), 0);
    EXPECT_FALSE(own.is_away());
}

TEST_F(process_identity, fork) {
    at_each_place([&](journey &) { expect_in_child(expect_child_is_well); });
}

// The child ends in every way while it is at home or away itself.
TEST_F(process_identity, fork_and_exit) {
    at_each_place([&](journey &) {
        for (const bool away : {false, true}) {
            std::fflush(nullptr);
            const pid_t pid = ::fork();
            if (pid == 0) {
                journey own;
                if (away) own.leave();
                _exit(own.is_away() == away ? 21 : 1);
            }
            EXPECT_EQ(status_of(pid), 21 << 8);
        }
        expect_in_child([] { expect_in_child(expect_child_is_well); }); // the child of a child
    });
}

TEST_F(process_identity, fork_through_the_library) {
    at_each_place([&](journey &) {
        std::fflush(nullptr);
        const long pid = laio_syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); // aarch64 has no fork(2)
        ASSERT_GE(pid, 0);
        if (pid == 0) _exit(laio_outstanding() == 0 && laio_syscall(SYS_getppid) == getppid() ? 22 : 1);
        EXPECT_EQ(status_of(static_cast<pid_t>(pid)), 22 << 8);
    });
}

// A child that leaves by what it has inherited: it must not wake, end or wait for threads of the parent's.
TEST_F(process_identity, child_uses_what_it_inherited) {
    at_each_place([&](journey &way) {
        expect_in_child([&] {
            const laio_handle_t stale = laio_gethandle();
            EXPECT_EQ(stale, nullptr);
            laio_completion completion{};
            EXPECT_EQ(laio_poll(&completion, 1, nullptr), -1);
            EXPECT_EQ(errno, EDEADLK);
            EXPECT_EQ(laio_fini(), 0);
        });
        if (!way.is_away()) return;
        EXPECT_EQ(laio_outstanding(), 1);
        way.arrive();
        EXPECT_EQ(laio_outstanding(), 0);
    });
}

// The copies of the loop's own descriptors are closed when the child first asks for a loop, or to end one.
TEST_F(process_identity, child_keeps_no_descriptors) {
    EXPECT_EQ(laio_fini(), 0);
    const std::size_t before = open_descriptors();
    EXPECT_EQ(why_no_activations(), "");
    at_each_place([&](journey &way) {
        expect_in_child([&] {
            EXPECT_EQ(laio_fini(), 0);
            EXPECT_EQ(open_descriptors(), before + way.descriptors());
        });
        expect_in_child([&] {
            EXPECT_EQ(why_no_activations(), "");
            EXPECT_EQ(laio_fini(), 0);
            EXPECT_EQ(open_descriptors(), before + way.descriptors());
        });
    });
}

TEST_F(process_identity, waits_for_its_children_from_everywhere) {
    journey way;
    const auto make = [] {
        std::fflush(nullptr);
        const pid_t pid = ::fork();
        if (pid == 0) _exit(23);
        return pid;
    };
    const pid_t of_home = make();
    const pid_t of_home_too = make();
    way.leave();
    const pid_t of_carrier = make();
    const pid_t of_carrier_too = make();
    EXPECT_EQ(status_of(of_home), 23 << 8);
    EXPECT_EQ(status_of(of_carrier), 23 << 8);
    way.go_home();
    EXPECT_EQ(status_of(of_carrier_too), 23 << 8);
    EXPECT_EQ(status_of(of_home_too), 23 << 8);
    const pid_t last = make();
    EXPECT_EQ(status_by_library(last), 23 << 8);
}

// Shares the memory, stops the caller.
TEST_F(process_identity, vfork_and_exec) {
    at_each_place([&](journey &) {
        volatile int shared = 0;
        const pid_t pid = vfork(); // NOLINT(clang-analyzer-security.insecureAPI.vfork): what is tested
        ASSERT_GE(pid, 0);
        if (pid == 0) {
            shared = 1;
            execl("/bin/sh", "sh", "-c", "exit 24", nullptr);
            _exit(1);
        }
        EXPECT_EQ(shared, 1);
        EXPECT_EQ(status_of(pid), 24 << 8);
        EXPECT_EQ(laio_syscall(SYS_faccessat, AT_FDCWD, "/", F_OK), 0);
    });
}

TEST_F(process_identity, posix_spawn) {
    at_each_place([&](journey &) {
        std::array<char *, 4> words{const_cast<char *>("sh"), const_cast<char *>("-c"), const_cast<char *>("exit 25"),
                                    nullptr};
        pid_t pid = -1;
        EXPECT_EQ(::posix_spawn(&pid, "/bin/sh", nullptr, nullptr, words.data(), environ), 0);
        EXPECT_EQ(status_of(pid), 25 << 8);
        EXPECT_EQ(::posix_spawn(&pid, "/nowhere", nullptr, nullptr, words.data(), environ), ENOENT);
    });
}

TEST_F(process_identity, system_and_popen) {
    at_each_place([&](journey &) {
        EXPECT_EQ(std::system("exit 26"), 26 << 8); // NOLINT(concurrency-mt-unsafe)
        std::FILE *stream = popen("echo well; exit 27", "r");
        ASSERT_NE(stream, nullptr);
        std::array<char, 16> line{};
        EXPECT_NE(std::fgets(line.data(), line.size(), stream), nullptr);
        EXPECT_STREQ(line.data(), "well\n");
        EXPECT_EQ(pclose(stream), 27 << 8);
    });
}

// The whole process becomes another program, with calls in the air and whichever thread asks for it.
LAIO_ACT(exec_away) {
    journey way;
    way.leave();
    const std::string same = std::to_string(getpid());
    execl("/bin/sh", "sh", "-c", "test $$ = $0 && test $(ls /proc/$$/task) = $$ && exit 28", same.c_str(), nullptr);
    return 1;
}
LAIO_ACT(exec_away_through_the_library) {
    journey way;
    way.leave();
    const std::array<const char *, 4> words{"sh", "-c", "exit 28", nullptr};
    laio_syscall(SYS_execve, "/bin/sh", words.data(), environ);
    return 1;
}
LAIO_ACT(exec_by_a_carried_thread) {
    std::thread{[] {
        journey way;
        way.leave();
        execl("/bin/sh", "sh", "-c", "exit 28", nullptr);
    }}.join();
    return 1;
}
LAIO_ACT(exec_fails_away) {
    journey way;
    way.leave();
    execl("/nowhere", "nowhere", nullptr);
    if (errno != ENOENT) return 1;
    way.go_home();
    return 28;
}

TEST_F(process_identity, exec) {
    for (const char *act :
         {"exec_away", "exec_away_through_the_library", "exec_by_a_carried_thread", "exec_fails_away"}) {
        const act_result result = run_act(act);
        EXPECT_EQ(result.status, 28 << 8) << act << ": " << result.report;
    }
}

// A thread of another loop forks, while this one is away and its call blocks: the child has neither.
TEST_F(process_identity, fork_by_another_thread) {
    journey way;
    way.leave();
    std::thread{[] {
        EXPECT_EQ(why_no_activations(), "");
        journey own;
        own.leave();
        expect_in_child(expect_child_is_well);
        own.go_home();
    }}.join();
    std::thread{[] { expect_in_child(expect_child_is_well); }}.join(); // one without a loop
    EXPECT_TRUE(way.is_away());
    EXPECT_EQ(laio_outstanding(), 1);
    way.go_home();
}

// Many forks beside another loop's journeys: nobody's state is halfway in the child.
TEST_F(process_identity, fork_beside_journeys) {
    std::binary_semaphore stop{0};
    std::thread other{[&] {
        EXPECT_EQ(why_no_activations(), "");
        while (!stop.try_acquire()) {
            journey own;
            own.leave();
            own.go_home();
        }
    }};
    for (int round = 0; round < 10; ++round)
        at_each_place([&](journey &) {
            expect_in_child([] { EXPECT_EQ(laio_syscall(SYS_faccessat, AT_FDCWD, "/", F_OK), 0); });
        });
    stop.release();
    other.join();
}

} // namespace
} // namespace laio::test
