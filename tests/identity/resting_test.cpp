// Threads that calls have left behind and that have nothing more to do: all but the one that stands by end, while others
// still block, and whether the application is at home or away; but not one that the application has left a child in.
#include "journey.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <random>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace laio::test {
namespace {

// By name: how many there are.
std::size_t carriers() {
    std::size_t count = 0;
    for (const auto &task : std::filesystem::directory_iterator{"/proc/self/task"}) {
        std::ifstream file{task.path() / "comm"};
        std::string name;
        count += std::getline(file, name) && name == "laio-carrier" ? 1 : 0;
    }
    return count;
}

void expect_carriers(std::size_t count) {
    wait_until([count] { return carriers() == count; });
    wait_until([count] { return stats_now().carriers == count; });
}

bool is_ring_there() { return syscall(SYS_io_uring_setup, 1, nullptr) == -1 && errno == EFAULT; }

class resting : public identity_test {
protected:
    void SetUp() override {
        identity_test::SetUp();
        if (IsSkipped()) return;
        if (is_ring_there() && (stats_now().engines & LAIO_ENGINE_RING) == 0)
            GTEST_SKIP() << "io_uring is there, but not for the library: it cannot tell who has used it, and they stay";
        EXPECT_EQ(laio_fini(), 0);
        laio_options options{};
        options.size = sizeof options;
        options.carrier_idle_ms = 1;
        ASSERT_EQ(laio_init(&options), 0);
        ASSERT_EQ(why_no_activations(), "");
    }

    static void leave(journey &way, int times) {
        for (int i = 0; i < times; ++i) way.leave();
    }
};

TEST_F(resting, after_a_burst) {
    for (int round = 1; round <= 3; ++round) {
        journey way;
        leave(way, 30);
        EXPECT_GE(carriers(), 30U);
        EXPECT_LE(stats_now().carriers_peak, 64U);
        way.go_home();
        expect_carriers(1);
        EXPECT_GE(stats_now().carriers_created, 30U * static_cast<unsigned>(round)) << "they were made anew";
    }
}

// More often than there may be carriers at once: each gives its place back.
TEST_F(resting, gives_places_back) {
    for (int round = 0; round < 12; ++round) {
        journey way;
        leave(way, 20);
        way.go_home();
        expect_carriers(1);
    }
    EXPECT_EQ(stats_now().queued, 0U);
}

TEST_F(resting, while_away) {
    journey first;
    first.leave(); // home blocks
    const std::size_t before = open_descriptors();
    journey rest;
    leave(rest, 20);
    rest.arrive();
    EXPECT_TRUE(first.is_away());
    expect_carriers(2); // one that carries us, one that stands by
    EXPECT_EQ(open_descriptors(), before) << "with their files";
    EXPECT_EQ(laio_syscall(SYS_faccessat, AT_FDCWD, "/", F_OK), 0);
    first.go_home();
    expect_carriers(1);
}

TEST_F(resting, beside_calls_that_block) {
    journey first;
    leave(first, 5); // at home, and on four carriers
    journey rest;
    leave(rest, 20);
    rest.arrive();
    expect_carriers(4 + 2);
    first.go_home(); // which all have their results
    expect_carriers(1);
}

// It asked for a signal when the thread ends that it was born in.
TEST_F(resting, not_with_a_child) {
    journey way;
    leave(way, 5);
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        while (getppid() == parent) pause();
        _exit(1);
    }
    ASSERT_GT(child, 0);
    leave(way, 5);
    way.go_home();
    expect_carriers(2);
    // others come and go, and it may work for them
    for (int round = 0; round < 5; ++round) {
        journey another;
        leave(another, 10);
        another.go_home();
        expect_carriers(2);
    }
    EXPECT_EQ(waitpid(child, nullptr, WNOHANG), 0) << "it was told that its parent has ended";
    EXPECT_EQ(kill(child, SIGKILL), 0);
    EXPECT_EQ(waitpid(child, nullptr, 0), child);
}

// Just when they have had enough.
TEST_F(resting, at_any_moment) {
    std::mt19937 random{std::random_device{}()};
    for (int round = 0; round < 150; ++round) {
        journey way;
        leave(way, 1 + static_cast<int>(random() % 6));
        if (random() % 2 == 0) way.unblock();
        for (std::size_t pause = random() % 2'000'000; pause > 0; --pause) asm volatile("");
        way.go_home();
    }
    expect_carriers(1);
    EXPECT_EQ(laio_outstanding(), 0);
}

// The loop ends while they do.
TEST_F(resting, at_the_end_of_the_loop) {
    const std::size_t before = open_descriptors();
    for (int round = 0; round < 40; ++round) {
        EXPECT_EQ(laio_fini(), 0);
        laio_options options{};
        options.size = sizeof options;
        options.carrier_idle_ms = 1;
        ASSERT_EQ(laio_init(&options), 0);
        journey way;
        leave(way, 8);
        way.go_home();
        for (std::size_t pause = static_cast<std::size_t>(round) * 100'000; pause > 0; --pause) asm volatile("");
    }
    EXPECT_EQ(laio_fini(), 0);
    EXPECT_LE(open_descriptors(), before);
    EXPECT_EQ(carriers(), 0U);
}

} // namespace
} // namespace laio::test
