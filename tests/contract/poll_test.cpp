// Fetching completions: laio_poll(3), laio_gethandle(3), laio_setdata(3).
#include "harness.hpp"

#include <atomic>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace laio::test {
namespace {

class polling : public contract_test {};

struct polled {
    int count;
    int error;
    friend bool operator==(const polled &, const polled &) = default;
    friend std::ostream &operator<<(std::ostream &stream, const polled &shown) {
        return stream << shown.count << " errno " << shown.error;
    }
};

polled poll_once(laio_completion *completions, int length, const timespec *timeout) {
    errno = 0;
    const int count = laio_poll(completions, length, timeout);
    return {count, count < 0 ? errno : 0};
}

// The ring of the test before may be tidied up by the kernel in this thread now, which epoll_wait(2) calls EINTR.
polled poll_raw(laio_completion *completions, int length, const timespec *timeout) {
    polled seen{-1, EINTR};
    while (seen == polled{-1, EINTR}) seen = poll_once(completions, length, timeout);
    return seen;
}

constexpr timespec at_once{0, 0};

long now_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000L + now.tv_nsec;
}

// ---- laio_poll ---------------------------------------------------------------------------------------------------------

TEST_P(polling, arguments_that_are_wrong) {
    const pipe_ends ends = make_pipe();
    char byte = 0;
    begin(SYS_read, ends.reader.get(), &byte, 1);
    laio_completion completion{};
    EXPECT_EQ(poll_raw(&completion, 0, &at_once), (polled{-1, EINVAL}));
    EXPECT_EQ(poll_raw(&completion, -1, nullptr), (polled{-1, EINVAL}));
    EXPECT_EQ(poll_raw(nullptr, 1, &at_once), (polled{-1, EFAULT}));
    for (const timespec &wrong : {timespec{0, 1000000000}, timespec{0, -1}, timespec{-1, 0}})
        EXPECT_EQ(poll_raw(&completion, 1, &wrong), (polled{-1, EINVAL}));
    EXPECT_EQ(poll_raw(&completion, 1, &at_once), (polled{0, 0}));
    EXPECT_EQ(laio_outstanding(), 1);
}

TEST_P(polling, nothing_outstanding_and_no_limit) {
    laio_completion completion{};
    EXPECT_EQ(poll_raw(&completion, 1, nullptr), (polled{-1, EDEADLK}));
    EXPECT_EQ(poll_raw(&completion, 1, &at_once), (polled{0, 0}));
    EXPECT_EQ(done(SYS_getpid).value, getpid()); // a direct call leaves nothing to wait for
    EXPECT_EQ(poll_raw(&completion, 1, nullptr), (polled{-1, EDEADLK}));
    const timespec brief{0, 5000000};
    EXPECT_EQ(poll_raw(&completion, 1, &brief), (polled{0, 0})); // a limit: it just waits
}

TEST_P(polling, before_there_is_a_loop) {
    ASSERT_EQ(laio_fini(), 0);
    laio_completion completion{};
    EXPECT_EQ(poll_raw(&completion, 1, nullptr), (polled{-1, EDEADLK}));
    EXPECT_EQ(poll_raw(&completion, 1, &at_once), (polled{0, 0}));
}

TEST_P(polling, timeouts_take_their_time) {
    const pipe_ends ends = make_pipe();
    char byte = 0;
    begin(SYS_read, ends.reader.get(), &byte, 1);
    laio_completion completion{};
    const timespec brief{0, 20000000};
    const long before = now_ns();
    EXPECT_EQ(poll_raw(&completion, 1, &brief), (polled{0, 0}));
    EXPECT_GE(now_ns() - before, brief.tv_nsec);
    const timespec century{3000000000L, 0}; // no overflow
    write_all(ends.writer.get(), "x");
    EXPECT_EQ(poll_raw(&completion, 1, &century), (polled{1, 0}));
}

// One at a time, in the order in which they completed, none twice.
TEST_P(polling, room_for_one_and_several_complete) {
    const pipe_ends ends = make_pipe();
    std::array<char, 5> bytes{};
    const auto calls = begin_reads(ends.reader.get(), bytes);
    write_all(ends.writer.get(), "01234");
    for (std::size_t turn = 0; turn < calls.size(); ++turn) {
        EXPECT_EQ(collect(-1, 1), 1);
        EXPECT_TRUE(calls[turn]->complete);
        EXPECT_EQ(laio_outstanding(), static_cast<int>(calls.size() - turn - 1));
    }
    EXPECT_EQ(collect(0), 0);
    EXPECT_EQ(std::string(bytes.data(), bytes.size()), "01234");
}

// Events that nobody waits for any more stand before the one that matters.
TEST_P(polling, at_once_finds_what_stands_behind_many_events_of_nobody) {
    if (!set().has_readiness() || (set().flags & LAIO_SOCKETS_IN_RING) != 0)
        GTEST_SKIP() << "what waits outside of epoll is handed in, not looked for";
    constexpr int many = 70;
    std::vector<pipe_ends> pipes;
    char byte = 0;
    for (int i = 0; i < many; ++i) {
        call_record *call = begin(SYS_read, pipes.emplace_back(make_pipe()).reader.get(), &byte, 1);
        EXPECT_EQ(laio_cancel(call->handle), 0);
        EXPECT_EQ(finish(call), (outcome{-1, ECANCELED}));
    }
    call_record *call = begin(SYS_read, pipes.emplace_back(make_pipe()).reader.get(), &byte, 1);
    for (const pipe_ends &each : pipes) write_all(each.writer.get(), "x");
    EXPECT_EQ(collect(0), 1);
    EXPECT_TRUE(call->complete);
}

TEST_P(polling, writes_no_more_than_it_returns) {
    const pipe_ends ends = make_pipe();
    char byte = 0;
    call_record *call = begin(SYS_read, ends.reader.get(), &byte, 1);
    std::array<laio_completion, 3> completions{};
    completions[1].laio_errno = 77;
    write_all(ends.writer.get(), "x");
    EXPECT_EQ(poll_raw(completions.data(), 3, nullptr), (polled{1, 0}));
    EXPECT_EQ(completions[0].laio_handle, call->handle);
    EXPECT_EQ(completions[0].laio_return_value, 1);
    EXPECT_EQ(completions[0].laio_errno, 0);
    EXPECT_EQ(completions[0].laio_data, call);
    EXPECT_EQ(completions[1].laio_errno, 77);
}

volatile std::sig_atomic_t handler_runs = 0;

// laio_poll(3): EINTR, a signal handler ran. Calls in the background go on.
TEST_P(polling, a_signal_ends_the_wait) {
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = [](int) { handler_runs = handler_runs + 1; };
    ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);
    const pipe_ends ends = make_pipe();
    char byte = 0;
    call_record *call = begin(SYS_read, ends.reader.get(), &byte, 1);
    const timespec brief{0, 1000000};
    call_record *sleeping = begin(SYS_nanosleep, &brief, nullptr);
    handler_runs = 0;
    std::atomic<bool> interrupted{false};
    const pid_t own = gettid();
    std::thread other{[&] {
        while (!interrupted.load()) { // again and again: the first may come before the wait
            syscall(SYS_tgkill, getpid(), own, SIGUSR1);
            poll(nullptr, 0, 1);
        }
    }};
    laio_completion completion{};
    polled seen = poll_once(&completion, 1, nullptr);
    if (seen.count == 1) { // the sleep: a signal came before its end and did not hurt it
        EXPECT_EQ(completion.laio_handle, sleeping->handle);
        EXPECT_EQ(completion.laio_return_value, 0);
        sleeping = nullptr;
        seen = poll_once(&completion, 1, nullptr);
    }
    while (seen == polled{-1, EINTR} && handler_runs == 0) // the kernel had work in this thread
        seen = poll_once(&completion, 1, nullptr);
    EXPECT_EQ(seen, (polled{-1, EINTR}));
    interrupted.store(true);
    other.join();
    write_all(ends.writer.get(), "x");
    EXPECT_EQ(finish(call), (outcome{1, 0}));
    if (sleeping != nullptr) { EXPECT_EQ(finish(sleeping), (outcome{0, 0})); }
    EXPECT_EQ(sigaction(SIGUSR1, &before, nullptr), 0);
}

TEST_P(polling, data_is_carried) {
    const pipe_ends ends = make_pipe();
    std::array<char, 2> bytes{};
    laio_completion completion{};
    errno = 0;
    ASSERT_EQ(laio_syscall(SYS_read, static_cast<long>(ends.reader.get()), bytes.data(), 1L), -1);
    ASSERT_EQ(errno, EINPROGRESS);
    const laio_handle_t handle = laio_gethandle();
    ASSERT_NE(handle, nullptr);
    write_all(ends.writer.get(), "a");
    EXPECT_EQ(poll_raw(&completion, 1, nullptr), (polled{1, 0}));
    EXPECT_EQ(completion.laio_handle, handle);
    EXPECT_EQ(completion.laio_data, nullptr); // never set
    ASSERT_EQ(laio_syscall(SYS_read, static_cast<long>(ends.reader.get()), bytes.data(), 1L), -1);
    EXPECT_EQ(laio_setdata(laio_gethandle(), bytes.data()), 0);
    EXPECT_EQ(laio_setdata(laio_gethandle(), &completion), 0); // the latest counts
    write_all(ends.writer.get(), "b");
    EXPECT_EQ(poll_raw(&completion, 1, nullptr), (polled{1, 0}));
    EXPECT_EQ(completion.laio_data, &completion);
}

// ---- laio_gethandle ----------------------------------------------------------------------------------------------------

TEST_P(polling, handle_is_that_of_the_latest_call) {
    const pipe_ends ends = make_pipe();
    char byte = 0;
    EXPECT_EQ(laio_gethandle(), nullptr);
    call_record *call = begin(SYS_read, ends.reader.get(), &byte, 1);
    EXPECT_EQ(laio_gethandle(), call->handle);
    collect(0);
    EXPECT_EQ(laio_gethandle(), call->handle);
    EXPECT_EQ(laio_syscall(SYS_getpid), getpid());
    EXPECT_EQ(laio_gethandle(), nullptr);
    const call_record *second = begin(SYS_read, ends.reader.get(), &byte, 1);
    EXPECT_EQ(laio_gethandle(), second->handle);
    EXPECT_NE(second->handle, call->handle);
    write_all(ends.writer.get(), "xy");
    finish_all();
    EXPECT_EQ(laio_gethandle(), nullptr); // handed over
}

// connect(2) on a non-blocking socket ends in EINPROGRESS itself.
TEST_P(polling, einprogress_of_the_call_itself) {
    std::uint16_t port = 0;
    const descriptor listener = listen_tcp(port);
    const descriptor client{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    // Where every call that may block is queued, its result comes later.
    EXPECT_EQ(finish(begin(SYS_connect, client.get(), &address, sizeof address)), (outcome{-1, EINPROGRESS}));
    EXPECT_EQ(laio_gethandle(), nullptr);
    EXPECT_EQ(laio_outstanding(), 0);
}

// ---- Descriptors with O_NONBLOCK ---------------------------------------------------------------------------------------

// open(2): they keep their own rules: EAGAIN, and short counts that nobody carries on.
TEST_P(polling, nonblocking_descriptors_keep_their_rules) {
    if (!chosen_engine_set().has_nonblocking()) GTEST_SKIP() << "LAIO_ASSUME_BLOCKING: no descriptor has O_NONBLOCK";
    const descriptor_pair pair = make_unix_pair();
    const pipe_ends ends = make_pipe(O_NONBLOCK);
    set_nonblocking(pair.near.get());
    std::array<char, 4> bytes{};
    EXPECT_EQ(done(SYS_read, pair.near.get(), bytes.data(), 4), (outcome{-1, EAGAIN}));
    EXPECT_EQ(done(SYS_read, ends.reader.get(), bytes.data(), 4), (outcome{-1, EAGAIN}));
    const std::string large = pattern(1U << 20U);
    EXPECT_EQ(done(SYS_write, ends.writer.get(), large.data(), large.size()), (outcome{65536, 0}));
    EXPECT_EQ(done(SYS_write, ends.writer.get(), large.data(), large.size()), (outcome{-1, EAGAIN}));
    const outcome sent = done(SYS_sendto, pair.near.get(), large.data(), large.size(), 0, nullptr, 0);
    EXPECT_GT(sent.value, 0);
    EXPECT_LT(sent.value, static_cast<long>(large.size()));
    EXPECT_EQ(laio_outstanding(), 0);
    std::uint16_t port = 0;
    const descriptor listener = listen_tcp(port);
    set_nonblocking(listener.get());
    EXPECT_EQ(done(SYS_accept4, listener.get(), nullptr, nullptr, 0), (outcome{-1, EAGAIN}));
}

// Setting O_NONBLOCK while a call waits changes nothing for it.
TEST_P(polling, nonblocking_set_while_a_call_waits) {
    if (!chosen_engine_set().has_nonblocking()) GTEST_SKIP() << "LAIO_ASSUME_BLOCKING: no descriptor has O_NONBLOCK";
    const descriptor_pair pair = make_unix_pair();
    std::array<char, 4> bytes{};
    call_record *call = begin(SYS_read, pair.near.get(), bytes.data(), 4);
    EXPECT_FALSE(call->is_direct());
    set_nonblocking(pair.near.get());
    EXPECT_EQ(collect(0), 0);
    write_all(pair.far.get(), "late");
    EXPECT_EQ(finish(call), (outcome{4, 0}));
    EXPECT_EQ(done(SYS_read, pair.near.get(), bytes.data(), 4), (outcome{-1, EAGAIN}));
}

LAIO_CONTRACT_SUITE(polling);

} // namespace
} // namespace laio::test
