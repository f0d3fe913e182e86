// What ties something of the application's to the thread that asks: a child, a request in an io_uring.
#include "kernel/ties.hpp"

#include "kernel/child.hpp"
#include "kernel/system_call.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <thread>

namespace {

using laio::ring_use;
using laio::test::cannot;
using laio::test::in_child;

template <class function> auto in_thread(function what) {
    decltype(what()) result{};
    std::thread([&] { result = what(); }).join();
    return result;
}

// A ring of the calling thread's; -1: there is none here.
int make_ring() {
    std::array<unsigned, 30> parameters{}; // struct io_uring_params
    return static_cast<int>(syscall(SYS_io_uring_setup, 1, parameters.data()));
}

TEST(ties, of_a_thread_with_nothing) {
    EXPECT_FALSE(in_thread([] { return laio::has_ties(ring_use::none); }));
    EXPECT_FALSE(in_thread([] { return laio::has_ties(ring_use::told); }));
}

TEST(ties, of_a_child_until_it_is_waited_for) {
    const pid_t others = fork();
    if (others == 0) {
        while (true) pause();
    }
    EXPECT_TRUE(laio::has_ties(ring_use::none));
    EXPECT_TRUE(in_thread([&] {
        EXPECT_FALSE(laio::has_ties(ring_use::none)) << "it is another thread's";
        const pid_t own = fork();
        if (own == 0) _exit(0);
        siginfo_t info{};
        EXPECT_EQ(waitid(P_PID, static_cast<id_t>(own), &info, WEXITED | WNOWAIT), 0);
        EXPECT_TRUE(laio::has_ties(ring_use::none)) << "it has ended";
        EXPECT_TRUE(laio::has_ties(ring_use::none)) << "asking changes nothing";
        EXPECT_EQ(waitpid(own, nullptr, 0), own);
        EXPECT_FALSE(laio::has_ties(ring_use::none));
        return true;
    }));
    kill(others, SIGKILL);
    EXPECT_EQ(waitpid(others, nullptr, 0), others);
}

TEST(ties, of_io_uring) {
    const int ring = make_ring();
    if (ring < 0) GTEST_SKIP() << "no io_uring here: error " << errno;
    const ring_use told = laio::ask_ring_use();
    close(ring);
    if (told != ring_use::told) GTEST_SKIP() << "this kernel does not tell who has used io_uring";
    EXPECT_TRUE(in_thread([] {
        EXPECT_FALSE(laio::has_ties(ring_use::told));
        const int own = make_ring();
        EXPECT_TRUE(laio::has_ties(ring_use::told));
        close(own);
        return own >= 0;
    }));
}

TEST(ties, of_io_uring_where_nobody_may_use_it) {
    const auto end = in_child([] {
        if (!laio::test::refuse_calls({SYS_io_uring_setup, SYS_io_uring_enter}, EPERM)) return cannot;
        return static_cast<long>(laio::ask_ring_use());
    });
    if (end.value == cannot) GTEST_SKIP() << "no filter of calls to be had";
    EXPECT_EQ(end.value, static_cast<long>(ring_use::none)) << end;
}

// As where a setting of the kernel's forbids it to ordinary users.
TEST(ties, of_io_uring_where_no_ring_is_to_be_had) {
    const auto end = in_child([] {
        if (!laio::test::refuse_calls({SYS_io_uring_setup}, EPERM)) return cannot;
        return in_thread([] { return static_cast<long>(laio::ask_ring_use()); });
    });
    if (end.value == cannot) GTEST_SKIP() << "no filter of calls to be had";
    EXPECT_EQ(end.value, static_cast<long>(ring_use::none)) << end;
}

TEST(ties, of_io_uring_are_not_known_without_a_ring_to_ask_by) {
    const int ring = in_thread(make_ring);
    if (ring < 0) GTEST_SKIP() << "no io_uring here";
    close(ring);
    EXPECT_EQ(in_thread([] { return static_cast<int>(laio::ask_ring_use()); }), static_cast<int>(ring_use::unknown));
}

} // namespace
