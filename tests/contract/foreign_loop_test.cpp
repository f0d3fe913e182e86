// laio_fd(3): the library in another event loop. Readable as long as something is complete, in every engine, and quiet when
// nothing is.
#include "harness.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <memory>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace laio::test {
namespace {

long now_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000L + now.tv_nsec;
}

bool is_readable_soon(int fd) {
    pollfd item{fd, POLLIN, 0};
    return poll(&item, 1, -1) == 1 && (item.revents & POLLIN) != 0;
}

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

// Of the application, on laio_fd().
descriptor make_epoll() {
    descriptor epoll{epoll_create1(EPOLL_CLOEXEC)};
    epoll_event event{};
    event.events = EPOLLIN;
    EXPECT_EQ(epoll_ctl(epoll.get(), EPOLL_CTL_ADD, laio_fd(), &event), 0);
    return epoll;
}

// The application's own epoll_wait(2). The kernel may end it early for the sake of a ring, with EINTR, as a signal would.
void wait_in_epoll(int epoll) {
    epoll_event event{};
    int count = -1;
    do { count = epoll_wait(epoll, &event, 1, -1); } while (count < 0 && errno == EINTR);
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
    const descriptor epoll = make_epoll();
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
    const descriptor epoll = make_epoll();
    for (const waiting_call &one : make_calls()) {
        epoll_event event{};
        while (collect(0) > 0 || epoll_wait(epoll.get(), &event, 1, 0) > 0) {}
        std::thread other{one.complete};
        finish_in([&] { wait_in_epoll(epoll.get()); }, one.call);
        other.join();
    }
}

TEST_P(foreign_loop, cold_reads) {
    const descriptor epoll = make_epoll();
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
    for (char &byte : bytes) begin(SYS_read, ends.reader.get(), &byte, 1);
    write_all(ends.writer.get(), "0123");
    for (int left = 4; left > 0; --left) {
        EXPECT_TRUE(is_readable_soon(laio_fd()));
        EXPECT_TRUE(is_readable_soon(laio_fd())); // looking takes nothing away
        int count = collect(0, 1);
        while (count == 0 && is_readable_soon(laio_fd())) count = collect(0, 1);
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

// Also when nothing is left but a call in the ring, and completions were taken one by one.
TEST_P(foreign_loop, becomes_quiet_beside_a_call_that_waits) {
    const descriptor listener{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const sockaddr_un any{.sun_family = AF_UNIX, .sun_path = {}}; // the kernel chooses a name
    ASSERT_EQ(bind(listener.get(), reinterpret_cast<const sockaddr *>(&any), sizeof any.sun_family), 0);
    ASSERT_EQ(listen(listener.get(), 1), 0);
    call_record *waiting = begin(SYS_accept4, listener.get(), nullptr, nullptr, SOCK_CLOEXEC);
    const pipe_ends ends = make_pipe();
    std::array<char, 2> bytes{};
    for (char &byte : bytes) begin(SYS_read, ends.reader.get(), &byte, 1);
    write_all(ends.writer.get(), "01");
    while (laio_outstanding() > 1) {
        EXPECT_TRUE(is_readable_soon(laio_fd()));
        EXPECT_GE(collect(0, 1), 0);
    }
    int looks = 0;
    for (; is_readable(laio_fd()) && looks < 1000; ++looks) EXPECT_EQ(collect(0, 1), 0);
    EXPECT_LT(looks, 1000);
    EXPECT_EQ(laio_cancel(waiting->handle), 0);
    finish(waiting);
}

// A cancelled call is complete too.
TEST_P(foreign_loop, is_told_of_cancelled_calls) {
    for (const waiting_call &one : make_calls()) {
        if (one.call->number == SYS_nanosleep) continue; // it may have ended by itself
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

LAIO_CONTRACT_SUITE(foreign_loop);

} // namespace
} // namespace laio::test
