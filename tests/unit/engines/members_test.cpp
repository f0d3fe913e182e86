// Members do what is asked of them by signal 33, and nothing because of a forged one.
#include "engines/members.hpp"

#include "kernel/child.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <csignal>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace {

using laio::join_members;
using laio::leave_members;
using laio::make_everywhere;
using laio::member;

constexpr int setxid_signal = 33;

#if defined(__SANITIZE_THREAD__)
class not_here : public testing::Environment {
    void SetUp() override { GTEST_SKIP() << "nobody joins where a thread sanitizer looks on"; }
};
const testing::Environment *const skipped = testing::AddGlobalTestEnvironment(new not_here);
#endif

constexpr laio::test::child_end fine{true, 0, 0};

// A member that waits for signals until it is told to end.
class thread_of_ours {
public:
    explicit thread_of_ours(const void *crew) {
        thread_ = std::thread{[this, crew] {
            sigset_t all;
            sigfillset(&all); // not 33: libc keeps it open
            pthread_sigmask(SIG_BLOCK, &all, nullptr);
            member *joined = join_members(0, nullptr, crew);
            tid_ = gettid();
            step_ = 1;
            step_.notify_all();
            step_.wait(1);
            has_no_new_privileges_ = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
            if (joined != nullptr) leave_members(*joined);
        }};
        step_.wait(0);
    }
    bool end() { // whether it may gain no privileges
        step_ = 2;
        step_.notify_all();
        thread_.join();
        return has_no_new_privileges_;
    }
    [[nodiscard]] int tid() const { return tid_; }

private:
    std::thread thread_;
    std::atomic<int> step_{0};
    std::atomic<int> tid_{0};
    bool has_no_new_privileges_ = false;
};

constexpr std::array<long, 6> no_new_privileges{PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0};

int crews_make_calls() {
    const int crew = 0;
    const int other_crew = 0;
    thread_of_ours first{&crew};
    thread_of_ours second{&crew};
    thread_of_ours stranger{&other_crew};
    const bool all_had = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
    make_everywhere(&crew, SYS_prctl, no_new_privileges.data());
    const bool did = first.end() && second.end();
    const bool strayed = stranger.end() && !all_had;
    const bool self = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && !all_had;
    return !did ? 1 : strayed ? 2 : self ? 3 : 0; // the caller makes its call itself
}

TEST(members, of_a_crew_make_a_call_too) { EXPECT_EQ(laio::test::in_child(crews_make_calls), fine); }

int those_that_left() {
    const int crew = 0;
    for (int i = 0; i < 50; ++i) {
        thread_of_ours one{&crew};
        one.end();
    }
    make_everywhere(&crew, SYS_prctl, no_new_privileges.data());
    return 0;
}

TEST(members, that_left_are_not_waited_for) { EXPECT_EQ(laio::test::in_child(those_that_left), fine); }

// A forged message, and one that looks like libc's but is not.
int forged_messages() {
    const int crew = 0;
    thread_of_ours one{&crew};
    for (int i = 0; i < 100; ++i) {
        siginfo_t info{};
        info.si_signo = setxid_signal;
        info.si_code = SI_QUEUE;
        info.si_pid = getpid();
        info.si_value.sival_ptr = &info;
        if (syscall(SYS_rt_tgsigqueueinfo, getpid(), one.tid(), setxid_signal, &info) != 0) return 1;
        if (kill(getpid(), 0) != 0) return 2;
    }
    make_everywhere(&crew, SYS_prctl, no_new_privileges.data());
    return one.end() ? 0 : 3;
}

TEST(members, do_nothing_for_a_forged_message) { EXPECT_EQ(laio::test::in_child(forged_messages), fine); }

// libc's own use of the signal goes on as before.
int ids_are_set() {
    const int crew = 0;
    thread_of_ours one{&crew};
    std::thread plain{[] { pause(); }};
    plain.detach();
    if (setresuid(getuid(), getuid(), getuid()) != 0) return 1;
    one.end();
    return 0;
}

TEST(members, leave_libc_its_signal) { EXPECT_EQ(laio::test::in_child(ids_are_set), fine); }

long in_a_grandchild() {
    const int crew = 0;
    thread_of_ours one{&crew};
    const long r = laio::test::in_child([] {
                       const int own_crew = 0;
                       make_everywhere(&own_crew, SYS_prctl, no_new_privileges.data());
                       thread_of_ours own{&own_crew};
                       make_everywhere(&own_crew, SYS_prctl, no_new_privileges.data());
                       return own.end() ? 0 : 1;
                   }).value;
    one.end();
    return r;
}

TEST(members, of_the_parent_are_not_those_of_a_child) { EXPECT_EQ(laio::test::in_child(in_a_grandchild), fine); }

} // namespace
