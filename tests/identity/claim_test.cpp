// How a call that blocks is left behind: once, whether the application catches signals or not, and wherever it runs.
#include "journey.hpp"

#include <cerrno>
#include <csignal>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace laio::test {
namespace {

constexpr std::uint64_t calls = 1000;

// Calls from an empty pipe: nothing ends them but the journey, so each is a claim.
class claim_identity : public identity_test {
protected:
    static void expect_one_claim_each() {
        const pipe_ends from = make_pipe();
        const pipe_ends to = make_pipe();
        const struct laio_stats before = stats_now();
        for (std::uint64_t i = 0; i < calls; ++i) {
            // so that the watchers are at work, and see the end of one call and the beginning of the next
            for (int ready = 0; ready < 16; ++ready) EXPECT_EQ(laio_syscall(SYS_msync, nullptr, 0L, MS_ASYNC), 0);
            ASSERT_EQ(laio_syscall(SYS_splice, from.reader.get(), nullptr, to.writer.get(), nullptr, 1L, 0L), -1);
            ASSERT_EQ(errno, EINPROGRESS);
            char byte = 'x';
            ASSERT_EQ(write(from.writer.get(), &byte, 1), 1);
            ASSERT_EQ(next_completion().laio_return_value, 1);
            ASSERT_EQ(read(to.reader.get(), &byte, 1), 1);
        }
        const struct laio_stats now = stats_now();
        EXPECT_EQ(now.claims - before.claims, calls);
        // a watcher may be so late that the call is another's already, but is so seldom
        EXPECT_LT(now.claims_spurious - before.claims_spurious, calls / 10);
    }
};

TEST_F(claim_identity, is_made_once) { expect_one_claim_each(); }

TEST_F(claim_identity, is_made_once_on_one_cpu) {
    cpu_set_t before;
    ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
    cpu_set_t one;
    CPU_ZERO(&one);
    int cpu = 0;
    while (!CPU_ISSET(cpu, &before)) ++cpu;
    CPU_SET(cpu, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    expect_one_claim_each();
    EXPECT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
}

// Then it has to be asked whether a handler sleeps there, or the call. Before and after that, the kernel's one answer serves
// for both questions: for the first call after a change it may be the wrong one.
TEST_F(claim_identity, is_made_once_while_signals_are_caught) {
    struct sigaction caught {};
    caught.sa_handler = [](int) {};
    struct sigaction before {};
    for (int round = 0; round < 2; ++round) {
        ASSERT_EQ(sigaction(SIGUSR2, &caught, &before), 0);
        expect_one_claim_each();
        ASSERT_EQ(sigaction(SIGUSR2, &before, nullptr), 0);
        expect_one_claim_each();
    }
}

} // namespace
} // namespace laio::test
