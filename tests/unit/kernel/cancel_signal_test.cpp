// The signal that cancels: which one is taken, and that it is taken once in a process. So each test is a child.
#include "kernel/interruptible.hpp"

#include "kernel/child.hpp"
#include "kernel/system_call.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using laio::system_call;
using laio::take_cancel_signal;
using laio::test::cannot;
using laio::test::in_child;

void ignore(int) {}

TEST(cancel_signal, is_the_highest_that_is_free) {
    EXPECT_EQ(in_child([] { return static_cast<long>(take_cancel_signal(0)); }).value, SIGRTMAX);
    EXPECT_EQ(in_child([] {
                  std::signal(SIGRTMAX, ignore);
                  std::signal(SIGRTMAX - 1, SIG_IGN); // that is a wish as well
                  struct sigaction action {};
                  action.sa_flags = SA_SIGINFO;
                  action.sa_sigaction = [](int, siginfo_t *, void *) {};
                  sigaction(SIGRTMAX - 2, &action, nullptr);
                  return static_cast<long>(take_cancel_signal(0));
              }).value,
              SIGRTMAX - 3);
}

TEST(cancel_signal, is_the_one_asked_for) {
    EXPECT_EQ(in_child([] { return static_cast<long>(take_cancel_signal(SIGRTMIN + 2)); }).value, SIGRTMIN + 2);
    EXPECT_EQ(in_child([] { return static_cast<long>(take_cancel_signal(SIGRTMAX)); }).value, SIGRTMAX);
}

TEST(cancel_signal, is_a_real_time_signal) {
    for (const int number : {1, SIGKILL, SIGUSR1, SIGRTMIN - 1, SIGRTMAX + 1, -1, INT32_MAX, INT32_MIN})
        EXPECT_EQ(in_child([=] { return static_cast<long>(take_cancel_signal(number)); }).value, -EINVAL) << number;
}

TEST(cancel_signal, is_not_taken_from_the_application) {
    const auto end = in_child([] {
        std::signal(SIGRTMIN + 1, ignore);
        if (take_cancel_signal(SIGRTMIN + 1) != -EBUSY) return 1L;
        if (std::signal(SIGRTMIN + 1, SIG_DFL) != ignore) return 2L;
        return static_cast<long>(take_cancel_signal(SIGRTMIN + 1)); // free by now, and nothing else was taken instead
    });
    EXPECT_EQ(end.value, SIGRTMIN + 1);
}

TEST(cancel_signal, may_not_be_to_be_had) {
    EXPECT_EQ(in_child([] {
                  for (int number = SIGRTMIN; number <= SIGRTMAX; ++number) std::signal(number, ignore);
                  return static_cast<long>(take_cancel_signal(0));
              }).value,
              -EBUSY);
}

TEST(cancel_signal, stays_the_first_one) {
    const auto end = in_child([] {
        const int first = take_cancel_signal(SIGRTMIN + 3);
        if (first != SIGRTMIN + 3) return 1L;
        if (take_cancel_signal(0) != first) return 2L;
        if (take_cancel_signal(first) != first) return 3L;
        if (take_cancel_signal(SIGRTMIN + 4) != -EBUSY) return 4L;
        if (take_cancel_signal(SIGRTMAX + 1) != -EINVAL) return 5L;
        return 0L;
    });
    EXPECT_EQ(end.value, 0) << end;
}

TEST(cancel_signal, does_nothing_outside_such_a_call) {
    const auto end = in_child([] {
        const int signal = take_cancel_signal(0);
        if (std::raise(signal) != 0) return 1L;
        errno = 4321;
        system_call(SYS_tgkill, getpid(), system_call(SYS_gettid), signal);
        return errno == 4321 ? 0L : 2L;
    });
    EXPECT_TRUE(end.returned) << end;
    EXPECT_EQ(end.value, 0);
}

TEST(cancel_signal, is_the_same_for_all_who_ask_at_once) {
    for (int round = 0; round < 20; ++round) {
        const auto end = in_child([] {
            std::atomic<int> ready{0};
            std::atomic<int> odd{0};
            std::vector<std::thread> threads;
            threads.reserve(4);
            for (int i = 0; i < 4; ++i)
                threads.emplace_back([&, i] {
                    ++ready;
                    while (ready.load() < 4) std::this_thread::yield();
                    const int signal = take_cancel_signal(i == 3 ? SIGRTMAX : 0);
                    if (signal != SIGRTMAX) ++odd;
                    else system_call(SYS_tgkill, getpid(), system_call(SYS_gettid), signal);
                });
            for (std::thread &each : threads) each.join();
            return static_cast<long>(odd.load());
        });
        ASSERT_TRUE(end.returned) << end;
        ASSERT_EQ(end.value, 0);
    }
}

// From here on a handler that this thread installs has to be let through by whoever holds the answer, a descriptor; -1:
// the machine has no such filters, or forbids them.
int hold_installing() {
    constexpr auto new_handler = static_cast<unsigned>(offsetof(seccomp_data, args) + 8);
    sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigaction, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, new_handler), // null, in both halves: it only asks
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, new_handler + 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
    };
    const sock_fprog filter{std::size(program), program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
    return static_cast<int>(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter));
}

long send_while_another_installs() {
    std::atomic<int> listener{-2};
    std::atomic<int> others{0};
    std::thread other([&] {
        listener.store(hold_installing());
        if (listener.load() >= 0) others.store(take_cancel_signal(0));
    });
    while (listener.load() == -2) std::this_thread::yield();
    seccomp_notif held{};
    if (listener.load() < 0 || ioctl(listener.load(), SECCOMP_IOCTL_NOTIF_RECV, &held) != 0) {
        other.join();
        return cannot;
    }
    const int ours = take_cancel_signal(0);
    if (ours > 0) system_call(SYS_tgkill, getpid(), system_call(SYS_gettid), ours);
    seccomp_notif_resp answer{held.id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    if (ioctl(listener.load(), SECCOMP_IOCTL_NOTIF_SEND, &answer) != 0) return -1;
    other.join();
    return ours > 0 && ours == others.load() ? 0 : 1;
}

// Whoever was told the signal may send it at once; without its handler it would end the process.
TEST(cancel_signal, has_its_handler_when_it_is_told) {
    const auto end = in_child(send_while_another_installs);
    if (end.value == cannot) GTEST_SKIP() << "no seccomp filter with a listener to be had";
    EXPECT_TRUE(end.returned) << end;
    EXPECT_EQ(end.value, 0) << "1: the two were told different signals";
}

} // namespace
