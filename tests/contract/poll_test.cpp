// Fetching completions: laio_poll(2), laio_gethandle(2), laio_setdata(3), and laio_fd(3) in another event loop.
#include "harness.hpp"

#include <atomic>
#include <csignal>
#include <cstring>
#include <functional>
#include <memory>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/select.h>
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

polled poll_raw(laio_completion *completions, int length, const timespec *timeout) {
    errno = 0;
    const int count = laio_poll(completions, length, timeout);
    return {count, count < 0 ? errno : 0};
}

constexpr timespec at_once{0, 0};

long now_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000L + now.tv_nsec;
}

bool is_readable_soon(int fd) {
    pollfd item{fd, POLLIN, 0};
    return poll(&item, 1, -1) == 1 && (item.revents & POLLIN) != 0;
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
    // The ring of the test before may be tidied up by the kernel in this thread now, which epoll_wait(2) calls EINTR.
    polled seen{-1, EINTR};
    long before = 0;
    while (seen == polled{-1, EINTR}) {
        before = now_ns();
        seen = poll_raw(&completion, 1, &brief);
    }
    EXPECT_EQ(seen, (polled{0, 0}));
    EXPECT_GE(now_ns() - before, brief.tv_nsec);
    const timespec century{3000000000L, 0}; // no overflow
    write_all(ends.writer.get(), "x");
    EXPECT_EQ(poll_raw(&completion, 1, &century), (polled{1, 0}));
}

// One at a time, in the order in which they completed, none twice.
TEST_P(polling, room_for_one_and_several_complete) {
    const pipe_ends ends = make_pipe();
    std::array<char, 5> bytes{};
    std::vector<call_record *> calls;
    for (char &byte : bytes)
        calls.push_back(begin(SYS_read, ends.reader.get(), &byte, 1));
    write_all(ends.writer.get(), "01234");
    for (std::size_t turn = 0; turn < calls.size(); ++turn) {
        EXPECT_EQ(collect(-1, 1), 1);
        EXPECT_TRUE(calls[turn]->complete);
        EXPECT_EQ(laio_outstanding(), static_cast<int>(calls.size() - turn - 1));
    }
    EXPECT_EQ(collect(0), 0);
    EXPECT_EQ(std::string(bytes.data(), bytes.size()), "01234");
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

// laio_poll(2): EINTR, a signal handler ran. Calls in the background go on.
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
    polled seen = poll_raw(&completion, 1, nullptr);
    if (seen.count == 1) { // the sleep: a signal came before its end and did not hurt it
        EXPECT_EQ(completion.laio_handle, sleeping->handle);
        EXPECT_EQ(completion.laio_return_value, 0);
        sleeping = nullptr;
        seen = poll_raw(&completion, 1, nullptr);
    }
    EXPECT_EQ(seen, (polled{-1, EINTR}));
    interrupted.store(true);
    other.join();
    EXPECT_GE(handler_runs, 1);
    write_all(ends.writer.get(), "x");
    EXPECT_EQ(finish(call), (outcome{1, 0}));
    if (sleeping != nullptr) {
        EXPECT_EQ(finish(sleeping), (outcome{0, 0}));
    }
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

// ---- laio_fd -----------------------------------------------------------------------------------------------------------

// Something to wait for in each engine, and what lets it complete.
struct waiting_call {
    call_record *call;
    std::function<void()> complete;
};

class foreign_loop : public contract_test {
  protected:
    // In epoll (or the ring, or on a carrier: as the set has it), on a timer, on a carrier, in the ring.
    std::vector<waiting_call> make_calls() {
        ends_ = make_pipe();
        pair_ = make_unix_pair();
        files_ = std::make_unique<directory>();
        holder_ = files_->file("held", "");
        waiter_ = descriptor{open(files_->path("held").c_str(), O_RDWR | O_CLOEXEC)};
        EXPECT_EQ(flock(holder_.get(), LOCK_EX), 0);
        cold_ = files_->file("cold", pattern(1U << 20U));
        return {{begin(SYS_read, ends_.reader.get(), bytes_.data(), 1), [this] { write_all(ends_.writer.get(), "x"); }},
                {begin(SYS_recvfrom, pair_.near.get(), bytes_.data(), 1, 0, nullptr, nullptr),
                 [this] { write_all(pair_.far.get(), "x"); }},
                {begin(SYS_nanosleep, &brief_, nullptr), [] {}},
                {begin(SYS_flock, waiter_.get(), LOCK_EX), [this] { flock(holder_.get(), LOCK_UN); }}};
    }
    void TearDown() override {
        EXPECT_EQ(laio_fini(), 0);
        ends_ = {};
        pair_ = {};
        holder_.reset();
        waiter_.reset();
        cold_.reset();
        files_.reset();
        contract_test::TearDown();
    }
    int cold_file() {
        make_cold(cold_.get());
        return cold_.get();
    }

  private:
    pipe_ends ends_;
    descriptor_pair pair_;
    std::unique_ptr<directory> files_;
    descriptor holder_;
    descriptor waiter_;
    descriptor cold_;
    timespec brief_{0, 5000000};
    std::array<char, 4> bytes_{};
};

// The application's own epoll_wait(2). The kernel may end it early for the sake of a ring, with EINTR, as a signal would.
void wait_in_epoll(int epoll) {
    epoll_event event{};
    int count = -1;
    do {
        count = epoll_wait(epoll, &event, 1, -1);
    } while (count < 0 && errno == EINTR);
    EXPECT_EQ(count, 1) << strerror(errno);
}

// Waits as a foreign loop does: for laio_fd, then laio_poll() without waiting. It may be readable with nothing complete.
void finish_in(const std::function<void()> &wait, const call_record *call) {
    while (!call->complete) {
        wait();
        EXPECT_GE(collect(0), 0);
    }
}

TEST_P(foreign_loop, epoll_wait) {
    const descriptor epoll{epoll_create1(EPOLL_CLOEXEC)};
    epoll_event event{};
    event.events = EPOLLIN;
    ASSERT_EQ(epoll_ctl(epoll.get(), EPOLL_CTL_ADD, laio_fd(), &event), 0);
    for (const waiting_call &one : make_calls()) {
        one.complete();
        finish_in([&] { wait_in_epoll(epoll.get()); }, one.call);
        EXPECT_NE(one.call->result.value, -1);
    }
}

TEST_P(foreign_loop, poll) {
    for (const waiting_call &one : make_calls()) {
        one.complete();
        finish_in([] { EXPECT_TRUE(is_readable_soon(laio_fd())) << strerror(errno); }, one.call);
        EXPECT_NE(one.call->result.value, -1);
    }
}

TEST_P(foreign_loop, select) {
    for (const waiting_call &one : make_calls()) {
        one.complete();
        finish_in(
            [] {
                fd_set set;
                FD_ZERO(&set);
                FD_SET(laio_fd(), &set);
                EXPECT_EQ(::select(laio_fd() + 1, &set, nullptr, nullptr, nullptr), 1) << strerror(errno);
            },
            one.call);
    }
}

// The completion happens while the foreign loop is asleep, and nothing of laio runs: in each engine.
TEST_P(foreign_loop, is_woken_in_its_sleep) {
    const descriptor epoll{epoll_create1(EPOLL_CLOEXEC)};
    epoll_event event{};
    event.events = EPOLLIN;
    ASSERT_EQ(epoll_ctl(epoll.get(), EPOLL_CTL_ADD, laio_fd(), &event), 0);
    for (const waiting_call &one : make_calls()) {
        while (collect(0) > 0 || epoll_wait(epoll.get(), &event, 1, 0) > 0) {
        }
        std::thread other{one.complete};
        finish_in([&] { wait_in_epoll(epoll.get()); }, one.call);
        other.join();
    }
}

TEST_P(foreign_loop, cold_reads) {
    const descriptor epoll{epoll_create1(EPOLL_CLOEXEC)};
    epoll_event event{};
    event.events = EPOLLIN;
    ASSERT_EQ(epoll_ctl(epoll.get(), EPOLL_CTL_ADD, laio_fd(), &event), 0);
    make_calls();
    for (int turn = 0; turn < 20; ++turn) {
        std::string bytes(8192, '\0');
        const call_record *call = begin(SYS_pread64, cold_file(), bytes.data(), bytes.size(), turn * 40960);
        finish_in([&] { wait_in_epoll(epoll.get()); }, call);
        EXPECT_EQ(call->result, (outcome{8192, 0}));
        EXPECT_TRUE(bytes == pattern(1U << 20U).substr(static_cast<std::size_t>(turn) * 40960, 8192));
    }
}

// laio_fd(3): readable while laio_poll() would return something: level-triggered, also after a part was taken.
TEST_P(foreign_loop, is_readable_as_long_as_something_is_complete) {
    const pipe_ends ends = make_pipe();
    std::array<char, 4> bytes{};
    for (char &byte : bytes)
        begin(SYS_read, ends.reader.get(), &byte, 1);
    write_all(ends.writer.get(), "0123");
    for (int left = 4; left > 0; --left) {
        EXPECT_TRUE(is_readable_soon(laio_fd()));
        EXPECT_TRUE(is_readable_soon(laio_fd())); // looking takes nothing away
        int count = collect(0, 1);
        while (count == 0 && is_readable_soon(laio_fd()))
            count = collect(0, 1);
        EXPECT_EQ(count, 1);
        EXPECT_EQ(laio_outstanding(), left - 1);
    }
    EXPECT_EQ(collect(0), 0);
}

// A descriptor that stayed readable with nothing to fetch would make a foreign loop spin.
TEST_P(foreign_loop, becomes_quiet) {
    const std::vector<waiting_call> calls = make_calls();
    for (const waiting_call &one : calls) {
        one.complete();
        finish_in([] { is_readable_soon(laio_fd()); }, one.call);
    }
    int looks = 0;
    while (is_readable(laio_fd()) && looks < 1000) {
        EXPECT_EQ(collect(0), 0);
        ++looks;
    }
    EXPECT_LT(looks, 1000);
    EXPECT_FALSE(is_readable(laio_fd()));
}

// A cancelled call is complete too.
TEST_P(foreign_loop, is_told_of_cancelled_calls) {
    for (const waiting_call &one : make_calls()) {
        if (one.call->number == SYS_nanosleep)
            continue; // it may have ended by itself
        EXPECT_EQ(laio_cancel(one.call->handle), 0);
        finish_in([] { EXPECT_TRUE(is_readable_soon(laio_fd())); }, one.call);
        EXPECT_EQ(one.call->result, (outcome{-1, ECANCELED}));
    }
}

// A timer of the library's that was set for a call which is cancelled goes off for nothing. The next one has to be set again.
TEST_P(foreign_loop, sleep_after_a_cancelled_sleep) {
    const timespec first{0, 20000000};
    const timespec second{0, 1000000};
    ASSERT_GE(laio_fd(), 0);
    call_record *cancelled = begin(SYS_nanosleep, &first, nullptr);
    EXPECT_EQ(laio_cancel(cancelled->handle), 0);
    finish(cancelled);
    const long end_ns = now_ns() + 2 * first.tv_nsec;
    while (now_ns() < end_ns) {
        pollfd item{laio_fd(), POLLIN, 0};
        poll(&item, 1, 5);
        EXPECT_EQ(collect(0), 0);
    }
    const call_record *call = begin(SYS_nanosleep, &second, nullptr);
    for (int turn = 0; turn < 3 && !call->complete; ++turn) {
        pollfd item{laio_fd(), POLLIN, 0};
        EXPECT_EQ(poll(&item, 1, 1000 * static_cast<int>(deadline_s) / 4), 1) << "not woken in its sleep";
        collect(0);
    }
    EXPECT_EQ(call->result, (outcome{0, 0}));
}

TEST_P(foreign_loop, descriptor_stays_the_same) {
    const int number = laio_fd();
    EXPECT_GE(number, 0);
    EXPECT_NE(fcntl(number, F_GETFD) & FD_CLOEXEC, 0);
    for (const waiting_call &one : make_calls()) {
        one.complete();
        finish(one.call);
        EXPECT_EQ(laio_fd(), number);
    }
}

LAIO_CONTRACT_SUITE(polling);
LAIO_CONTRACT_SUITE(foreign_loop);

} // namespace
} // namespace laio::test
