// A loop's life: laio_init(3) and its options, laio_fini(3) with calls in the air, the end of its thread, several threads,
// and fork(2) (laio(7), "Threads" and "Processes").
#include "harness.hpp"

#include <csignal>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <iterator>
#include <memory>
#include <numeric>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace laio::test {
namespace {

class lifecycle : public contract_test {};

constexpr outcome cancelled{-1, ECANCELED};

int init_error(const laio_options *options) {
    errno = 0;
    return laio_init(options) == 0 ? 0 : errno;
}

// Many kinds of calls that nothing completes. The memory lives as long as this object.
class calls_in_the_air {
public:
    calls_in_the_air() {
        EXPECT_EQ(flock(holder_.get(), LOCK_EX), 0);
        fill(full_.writer.get());
        waiter_ = descriptor{open(files_.path("held").c_str(), O_RDWR | O_CLOEXEC)};
        calls_ = {begin(SYS_read, pipe_.reader.get(), bytes_.data(), 1),
                  begin(SYS_read, pipe_.reader.get(), bytes_.data(), 1),
                  begin(SYS_recvfrom, pair_.near.get(), bytes_.data(), 64, MSG_WAITALL, nullptr, nullptr),
                  begin(SYS_write, full_.writer.get(), bytes_.data(), bytes_.size()),
                  begin(SYS_accept4, listener_.get(), nullptr, nullptr, SOCK_CLOEXEC),
                  begin(SYS_nanosleep, &hour_, nullptr),
                  begin(SYS_flock, waiter_.get(), LOCK_EX),
                  begin(SYS_poll, &item_, 1, -1),
                  begin(SYS_wait4, child_.pid, &status_, 0, nullptr),
                  begin(SYS_futex, &word_, 0 /* FUTEX_WAIT */, 1, nullptr, nullptr, 0),
                  begin(SYS_read, terminal_.near.get(), bytes_.data(), 64)};
        for (const call_record *call : calls_) EXPECT_FALSE(call->is_direct()) << call->number;
    }
    ~calls_in_the_air() {
        child_.leash.reset();
        waitpid(child_.pid, &status_, 0);
    }
    calls_in_the_air(const calls_in_the_air &) = delete;
    calls_in_the_air &operator=(const calls_in_the_air &) = delete;
    [[nodiscard]] std::size_t count() const { return calls_.size(); }
    [[nodiscard]] const std::vector<call_record *> &calls() const { return calls_; }
    // Bytes that come now are nobody's but the next reader's.
    void expect_left_alone() {
        write_all(pipe_.writer.get(), "x");
        EXPECT_EQ(read_all(pipe_.reader.get(), 1), "x");
        EXPECT_EQ(flock(holder_.get(), LOCK_UN), 0);
        EXPECT_EQ(flock(holder_.get(), LOCK_EX | LOCK_NB), 0);
    }

private:
    directory files_;
    descriptor holder_ = files_.file("held", "");
    pipe_ends pipe_ = make_pipe();
    pipe_ends full_ = make_pipe();
    descriptor_pair pair_ = make_unix_pair();
    descriptor_pair terminal_ = make_pty();
    std::uint16_t port_ = 0;
    descriptor listener_ = listen_tcp(port_);
    waiting_child child_ = make_waiting_child();
    descriptor waiter_;
    timespec hour_{3600, 0};
    pollfd item_{pair_.near.get(), POLLIN, 0};
    alignas(4) unsigned word_ = 1;
    int status_ = 0;
    std::array<char, 64> bytes_{};
    std::vector<call_record *> calls_;
};

// ---- laio_init ---------------------------------------------------------------------------------------------------------

TEST_P(lifecycle, loop_is_made_once) {
    EXPECT_EQ(init_error(nullptr), EALREADY);
    laio_options options = options_of_set();
    EXPECT_EQ(init_error(&options), EALREADY);
    EXPECT_EQ(laio_fini(), 0);
    EXPECT_EQ(laio_fini(), 0); // also without a loop
    EXPECT_EQ(init_error(nullptr), 0);
    EXPECT_EQ(laio_fini(), 0);
    EXPECT_EQ(plain(SYS_getpid).value, laio_syscall(SYS_getpid)); // the first call makes it
    EXPECT_GE(laio_fd(), 0);
    EXPECT_EQ(init_error(nullptr), EALREADY);
}

TEST_P(lifecycle, options_out_of_range) {
    ASSERT_EQ(laio_fini(), 0);
    const auto error_with = [](auto &&change) {
        laio_options options = options_of_set();
        change(options);
        const int error = init_error(&options);
        EXPECT_EQ(laio_fini(), 0);
        return error;
    };
    EXPECT_EQ(error_with([](laio_options &o) { o.size = 0; }), EINVAL);
    EXPECT_EQ(error_with([](laio_options &o) { o.size = 3; }), EINVAL);
    EXPECT_EQ(error_with([](laio_options &o) { o.flags = 0x80000000U; }), EINVAL);
    EXPECT_EQ(error_with([](laio_options &o) { o.forbid = 0x80000000U; }), EINVAL);
    EXPECT_EQ(error_with([](laio_options &o) { o.operations_max = 16777215; }), EINVAL);
    EXPECT_EQ(error_with([](laio_options &o) { o.ring_entries = 32769; }), EINVAL);
    EXPECT_EQ(error_with([](laio_options &o) { o.carriers_max = 32769; }), EINVAL);
    EXPECT_EQ(error_with([](laio_options &o) { o.cancel_signal = SIGUSR1; }), EINVAL);
    EXPECT_EQ(error_with([](laio_options &o) { o.cancel_signal = 65; }), EINVAL);
    EXPECT_EQ(error_with([](laio_options &o) { o.operations_max = 16777214; }), 0);
    EXPECT_EQ(error_with([](laio_options &o) { o.ring_entries = 1; }), 0);
    EXPECT_EQ(error_with([](laio_options &o) { o.ring_entries = 100; }), 0);
    EXPECT_EQ(error_with([](laio_options &o) { o.carriers_max = 1; }), 0);
    // EBUSY: all loops of a process use one signal, and an earlier one has chosen.
    const int other_signal = error_with([](laio_options &o) { o.cancel_signal = static_cast<unsigned>(SIGRTMAX - 1); });
    EXPECT_TRUE(other_signal == 0 || other_signal == EBUSY) << strerror(other_signal);
    EXPECT_EQ(error_with([](laio_options &o) { o.forbid |= LAIO_FORBID_ALL; }), 0);
}

// A program that was compiled with a later header passes a larger structure: what this library does not know must be zero.
TEST_P(lifecycle, larger_and_smaller_structures) {
    ASSERT_EQ(laio_fini(), 0);
    struct {
        laio_options known;
        std::array<std::uint64_t, 4> later;
    } larger{options_of_set(), {}};
    larger.known.size = sizeof larger;
    larger.later[2] = 1;
    EXPECT_EQ(init_error(&larger.known), EINVAL);
    struct {
        struct laio_stats known;
        std::array<std::uint64_t, 4> later;
    } counted{};
    counted.known.size = sizeof counted;
    counted.later[0] = 77;
    EXPECT_EQ(laio_stats(&counted.known), 0);
    EXPECT_LE(counted.known.size, sizeof counted);
    struct laio_stats small {};
    small.size = offsetof(struct laio_stats, outstanding);
    small.outstanding = 77;
    EXPECT_EQ(laio_stats(&small), 0);
    EXPECT_EQ(small.outstanding, 77U) << "written beyond the size given";
    small.size = 0;
    EXPECT_EQ(laio_stats(&small), -1);
    EXPECT_EQ(errno, EINVAL);
}

TEST_P(lifecycle, stats_without_a_loop_are_zero) {
    ASSERT_EQ(laio_fini(), 0);
    const struct laio_stats stats = stats_now();
    EXPECT_EQ(stats.engines, 0U);
    EXPECT_EQ(stats.polls, 0U);
    EXPECT_EQ(laio_outstanding(), 0);
    EXPECT_EQ(laio_gethandle(), nullptr);
}

TEST_P(lifecycle, stats_count) {
    const pipe_ends ends = make_pipe();
    char byte = 0;
    call_record *call = begin(SYS_read, ends.reader.get(), &byte, 1);
    EXPECT_EQ(stats_now().outstanding, 1U);
    write_all(ends.writer.get(), "x");
    finish(call);
    const struct laio_stats stats = stats_now();
    EXPECT_EQ(stats.outstanding, 0U);
    EXPECT_EQ(stats.outstanding_peak, 1U);
    EXPECT_EQ(stats.completed, 1U);
    EXPECT_EQ(stats.cancelled, 0U);
    EXPECT_GE(stats.polls, 1U);
    std::uint64_t calls = 0;
    std::uint64_t blocked = 0;
    for (const laio_route_stats &route : stats.routes) {
        calls += route.calls;
        blocked += route.blocked;
    }
    EXPECT_EQ(calls, 1U);
    EXPECT_EQ(blocked, 1U);
}

// Bounds within which sampled_ns must be, by what is counted in each bucket.
struct cost_bounds {
    std::uint64_t count = 0;
    std::uint64_t least_ns = 0;
    std::uint64_t most_ns = 0;
};

cost_bounds bounds_of(const std::uint64_t (&costs)[LAIO_COST_BUCKETS]) {
    cost_bounds bounds;
    for (unsigned i = 0; i < LAIO_COST_BUCKETS; ++i) {
        bounds.count += costs[i];
        bounds.least_ns += i > 0 ? costs[i] * LAIO_COST_BUCKET_NS(i) : 0;
        bounds.most_ns += costs[i] * LAIO_COST_BUCKET_NS(i + 1);
    }
    if (costs[LAIO_COST_BUCKETS - 1] > 0) bounds.most_ns = UINT64_MAX; // the machine paused
    return bounds;
}

TEST_P(lifecycle, buckets_of_costs_ascend_by_at_most_a_quarter) {
    EXPECT_EQ(LAIO_COST_BUCKET_NS(0), 16U);
    for (unsigned i = 0; i < LAIO_COST_BUCKETS; ++i) {
        EXPECT_GT(LAIO_COST_BUCKET_NS(i + 1), LAIO_COST_BUCKET_NS(i)) << i;
        EXPECT_LE(4 * LAIO_COST_BUCKET_NS(i + 1), 5 * LAIO_COST_BUCKET_NS(i)) << i;
    }
}

// One in 64 of the calls, each in one bucket of its route, which is the right one. Three calls in turn: each is timed
// sometimes.
TEST_P(lifecycle, stats_count_costs) {
    const directory files;
    const descriptor file = files.file("synced", "");
    struct laio_stats before = stats_now();
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 64 * 10; ++i) {
            ASSERT_EQ(laio_syscall(SYS_getppid), getppid());
            ASSERT_EQ(laio_syscall(SYS_getppid), getppid());
            ASSERT_EQ(done(SYS_fsync, file.get()), (outcome{0, 0}));
        }
        const struct laio_stats after = stats_now();
        std::uint64_t sampled = 0;
        for (std::size_t route = 0; route < LAIO_ROUTES; ++route) {
            const laio_route_stats &counted = after.routes[route];
            const cost_bounds bounds = bounds_of(after.cost_ns[route]);
            EXPECT_EQ(bounds.count, counted.sampled) << route;
            EXPECT_LE(bounds.least_ns, counted.sampled_ns) << route;
            EXPECT_GE(bounds.most_ns, counted.sampled_ns) << route;
            for (unsigned i = 0; i < LAIO_COST_BUCKETS; ++i)
                EXPECT_GE(after.cost_ns[route][i], before.cost_ns[route][i]) << route;
            sampled += counted.sampled - before.routes[route].sampled;
        }
        EXPECT_EQ(sampled, 3U * 10U);
        EXPECT_GE(after.routes[LAIO_ROUTE_DIRECT].sampled, 10U);
        EXPECT_GE(after.routes[LAIO_ROUTE_ACTIVATION].sampled + after.routes[LAIO_ROUTE_QUEUED].sampled, 5U);
        EXPECT_LE(std::accumulate(std::begin(after.claim_us), std::end(after.claim_us), std::uint64_t{0}),
                  after.claims);
        before = after;
    }
}

// ---- laio_fini and the end of a thread ---------------------------------------------------------------------------------

TEST_P(lifecycle, fini_with_calls_in_the_air) {
    for (int turn = 0; turn < 3; ++turn) {
        calls_in_the_air calls;
        EXPECT_EQ(laio_outstanding(), static_cast<int>(calls.count()));
        EXPECT_EQ(laio_fini(), 0);
        EXPECT_EQ(laio_outstanding(), 0);
        calls.expect_left_alone();
        start_loop();
        EXPECT_EQ(laio_cancel(calls.calls().front()->handle), -1); // of the loop before
        EXPECT_EQ(errno, EINVAL);
    }
}

TEST_P(lifecycle, fini_with_completions_that_nobody_fetched) {
    const pipe_ends ends = make_pipe();
    std::array<char, 4> bytes{};
    for (char &byte : bytes) begin(SYS_read, ends.reader.get(), &byte, 1);
    write_all(ends.writer.get(), "1234");
    collect(-1, 1);
    EXPECT_EQ(laio_fini(), 0);
    EXPECT_EQ(laio_outstanding(), 0);
    errno = 0;
    laio_completion completion{};
    EXPECT_EQ(laio_poll(&completion, 1, nullptr), -1);
    EXPECT_EQ(errno, EDEADLK);
}

// The calls succeed, and nobody is told: neither of those whose completion waits when the loop ends, nor of those that win
// against the end.
TEST_P(lifecycle, fini_closes_what_calls_have_opened) {
    const directory files;
    const std::string path = files.path("fifo");
    ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
    std::uint16_t port = 0;
    const descriptor listener = listen_tcp(port);
    ASSERT_EQ(laio_fini(), 0);
    const std::size_t before = open_descriptors();
    for (int turn = 0; turn < 20; ++turn) {
        start_loop();
        const call_record *accepting = begin(SYS_accept4, listener.get(), nullptr, nullptr, SOCK_CLOEXEC);
        const call_record *opening = begin(SYS_openat, AT_FDCWD, path.c_str(), O_RDONLY | O_CLOEXEC);
        EXPECT_FALSE(accepting->is_direct() || opening->is_direct());
        {
            const descriptor peer = connect_tcp(port);
            const descriptor writer{open(path.c_str(), O_WRONLY | O_CLOEXEC)}; // the other end is there now
            pollfd loop{laio_fd(), POLLIN, 0};
            if (turn % 2 == 0) { EXPECT_EQ(poll(&loop, 1, -1), 1); }
            EXPECT_EQ(laio_fini(), 0);
        }
        EXPECT_EQ(open_descriptors(), before) << "turn " << turn;
        forget_calls();
        // what no call of the loop accepted
        pollfd one{listener.get(), POLLIN, 0};
        while (poll(&one, 1, 0) == 1) close(accept(listener.get(), nullptr, nullptr));
    }
}

// What the kernel does some time after a ring was closed, in the thread that used it, would interrupt this call.
TEST_P(lifecycle, fini_leaves_nothing_that_interrupts) {
    const int semaphore = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
    ASSERT_GE(semaphore, 0);
    sembuf down{0, -1, 0};
    const timespec brief{0, 150'000'000};
    EXPECT_EQ(done(SYS_getpid).value, getpid());
    EXPECT_EQ(laio_fini(), 0);
    EXPECT_EQ(plain(SYS_semtimedop, semaphore, &down, 1, &brief), (outcome{-1, EAGAIN}));
    EXPECT_EQ(semctl(semaphore, 0, IPC_RMID), 0);
}

TEST_P(lifecycle, cancel_of_everything) {
    const calls_in_the_air calls;
    for (const call_record *call : calls.calls()) EXPECT_EQ(laio_cancel(call->handle), 0);
    finish_all();
    for (const call_record *call : calls.calls()) EXPECT_EQ(call->result, cancelled) << call->number;
}

TEST_P(lifecycle, thread_that_ends_with_calls_in_the_air) {
    if (set().tells_closes()) make_pipe(); // its closes open what this thread's loop makes calls in place with
    const std::size_t descriptors = open_descriptors();
    const std::size_t threads_before = threads();
    for (int turn = 0; turn < 3; ++turn) {
        std::unique_ptr<calls_in_the_air> calls;
        std::thread other{[&calls] {
            start_loop();
            calls = std::make_unique<calls_in_the_air>();
            forget_calls();
        }};
        other.join();
        calls->expect_left_alone();
    }
    EXPECT_EQ(open_descriptors(), descriptors);
    wait_until([&] { return threads() <= threads_before; });
}

TEST_P(lifecycle, thread_without_a_loop_ends) {
    std::thread other{[] {
        EXPECT_EQ(laio_outstanding(), 0);
        EXPECT_EQ(laio_gethandle(), nullptr);
    }};
    other.join();
}

// One thread, one loop: the others neither see nor disturb it.
TEST_P(lifecycle, many_threads_with_loops_of_their_own) {
    constexpr int count = 8;
    std::vector<std::thread> all;
    all.reserve(count);
    for (int index = 0; index < count; ++index) {
        all.emplace_back([index] {
            start_loop();
            const directory files;
            const std::string content = pattern(20000, static_cast<std::uint32_t>(index));
            const descriptor file = files.file("a", content);
            const descriptor_pair pair = make_unix_pair();
            const timespec brief{0, 1000000};
            for (int turn = 0; turn < (sanitized ? 20 : 100); ++turn) {
                char byte = 0;
                std::string bytes(content.size(), '\0');
                call_record *sleeping = begin(SYS_nanosleep, &brief, nullptr);
                call_record *reading = begin(SYS_read, pair.near.get(), &byte, 1);
                EXPECT_EQ(done(SYS_pread64, file.get(), bytes.data(), bytes.size(), 0),
                          (outcome{static_cast<long>(content.size()), 0}));
                EXPECT_TRUE(bytes == content);
                write_all(pair.far.get(), "x");
                EXPECT_EQ(finish(reading), (outcome{1, 0}));
                EXPECT_EQ(finish(sleeping), (outcome{0, 0}));
            }
            EXPECT_EQ(laio_outstanding(), 0);
            EXPECT_EQ(laio_fini(), 0);
            forget_calls();
        });
    }
    for (std::thread &one : all) one.join();
}

LAIO_CONTRACT_SUITE(lifecycle);

} // namespace
} // namespace laio::test
