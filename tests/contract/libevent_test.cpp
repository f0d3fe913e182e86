// The contract of laio_event(3), on the real libevent: each test is a sentence of it, U1 to U15 are its promises.
// Every base test runs on each of libevent's methods, because laio_fd() must wake them all. Nothing here waits for time
// to pass but the tests of timeouts, and those only for an order of events; a hang is ended by the test's own limit.
#include <laio/libevent.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <event2/event.h>
#include <fcntl.h>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

class descriptor_pair {
public:
    explicit descriptor_pair(bool is_socket = false) {
        const int error = is_socket ? ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data())
                                    : ::pipe2(ends.data(), O_CLOEXEC);
        if (error != 0) std::abort();
    }
    descriptor_pair(const descriptor_pair &) = delete;
    descriptor_pair &operator=(const descriptor_pair &) = delete;
    ~descriptor_pair() {
        ::close(ends[0]);
        close_writer();
    }
    [[nodiscard]] int reader() const { return ends[0]; }
    [[nodiscard]] int writer() const { return ends[1]; }
    void put(char byte = '!') const {
        if (::write(ends[1], &byte, 1) != 1) std::abort();
    }
    void close_writer() {
        if (ends[1] >= 0) ::close(ends[1]);
        ends[1] = -1;
    }

private:
    std::array<int, 2> ends{};
};

// A read of one byte from an empty pipe: a call that stays in the background until put().
struct waiting_read {
    laio_event event{};
    char byte = 0;
    int calls = 0;
    long return_value = 0;
    int error = 0;
    std::function<void(waiting_read &)> then;

    static void complete(void *arg, long return_value, int error) {
        auto &self = *static_cast<waiting_read *>(arg);
        ++self.calls;
        self.return_value = return_value;
        self.error = error;
        if (self.then) self.then(self);
    }

    void start(event_base *base, int fd) {
        errno = 0;
        ASSERT_EQ(laio_syscall(SYS_read, static_cast<long>(fd), &byte, 1L), -1);
        ASSERT_EQ(errno, EINPROGRESS);
        laio_event_assign(&event, base, laio_gethandle(), complete, this);
    }

    void start_and_add(event_base *base, int fd, const timeval *timeout = nullptr) {
        start(base, fd);
        ASSERT_EQ(laio_event_add(&event, timeout), 0);
    }
};

struct base_kind {
    const char *name;
    const char *method;
    int flags = 0;
    std::uint32_t laio_flags = 0;
};

std::ostream &operator<<(std::ostream &out, const base_kind &kind) { return out << kind.name; }

class libevent_base : public testing::TestWithParam<base_kind> {
protected:
    void SetUp() override {
        base = make_base();
        if (base == nullptr) GTEST_SKIP() << "this libevent has no method " << GetParam().method;
        laio_options options{};
        options.size = sizeof options;
        options.flags = GetParam().laio_flags;
        ASSERT_EQ(laio_init(&options), 0);
        ASSERT_EQ(laio_event_attach(base), 0);
    }

    void TearDown() override {
        if (base == nullptr) return;
        EXPECT_EQ(laio_event_detach(base), 0);
        event_base_free(base);
        EXPECT_EQ(laio_fini(), 0);
    }

    // Not in several threads at once: libevent keeps the list of methods in a static array.
    static event_base *make_base() {
        event_config *config = event_config_new();
        const char **methods = event_get_supported_methods();
        for (; *methods != nullptr; ++methods)
            if (std::string(*methods) != GetParam().method) event_config_avoid_method(config, *methods);
        event_config_set_flag(config, GetParam().flags | EVENT_BASE_FLAG_IGNORE_ENV);
        event_base *base = event_base_new_with_config(config);
        event_config_free(config);
        return base;
    }

    // Runs until no event is left.
    void run() { ASSERT_EQ(event_base_dispatch(base), 1); }

    // A completion past the adapter. EINTR: also from a ring that an earlier test's laio_fini() has closed.
    static laio_completion fetch() {
        laio_completion completion{};
        int count = -1;
        do count = laio_poll(&completion, 1, nullptr);
        while (count == -1 && errno == EINTR);
        EXPECT_EQ(count, 1) << std::strerror(errno);
        return completion;
    }

    // Completions of deleted events, which the next run would drop.
    static void fetch_the_rest() {
        while (laio_outstanding() > 0 && !HasFailure()) EXPECT_EQ(fetch().laio_data, nullptr);
    }

    // Calls `function` from the loop, in a turn of its own.
    void soon(const std::function<void()> &function) {
        auto call = [](evutil_socket_t, short, void *arg) {
            const std::unique_ptr<std::function<void()>> owned(static_cast<std::function<void()> *>(arg));
            (*owned)();
        };
        const timeval at_once{};
        ASSERT_EQ(event_base_once(base, -1, EV_TIMEOUT, call, new std::function<void()>(function), &at_once), 0);
    }

    event_base *base = nullptr;
};

INSTANTIATE_TEST_SUITE_P(methods, libevent_base,
                         testing::Values(base_kind{"epoll", "epoll"},
                                         base_kind{"epoll_changelist", "epoll", EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST},
                                         base_kind{"epoll_sockets_in_ring", "epoll", 0, LAIO_SOCKETS_IN_RING},
                                         base_kind{"poll", "poll"}, base_kind{"select", "select"}),
                         [](const auto &kind) { return std::string(kind.param.name); });

// ---- Completions: U1, U5, U6 ----------------------------------------------------------------------------------------

TEST_P(libevent_base, delivers_a_completion_with_its_result) {
    const descriptor_pair pipe;
    waiting_read read;
    read.start_and_add(base, pipe.reader());
    EXPECT_EQ(laio_event_pending(&read.event), 1);
    soon([&] {
        EXPECT_EQ(read.calls, 0);
        pipe.put('x');
    });
    run();
    EXPECT_EQ(read.calls, 1);
    EXPECT_EQ(read.return_value, 1);
    EXPECT_EQ(read.error, 0);
    EXPECT_EQ(read.byte, 'x');
    EXPECT_EQ(laio_event_pending(&read.event), 0);
    EXPECT_EQ(laio_outstanding(), 0);
}

TEST_P(libevent_base, delivers_a_call_that_was_complete_before_the_event_was_added) {
    const descriptor_pair pipe;
    waiting_read read;
    read.start(base, pipe.reader());
    pipe.put();
    ASSERT_EQ(laio_event_add(&read.event, nullptr), 0);
    run();
    EXPECT_EQ(read.calls, 1);
    EXPECT_EQ(read.return_value, 1);
}

TEST_P(libevent_base, delivers_the_error_of_a_call) {
    const timespec never{3600, 0};
    waiting_read sleep;
    ASSERT_EQ(laio_syscall(SYS_nanosleep, &never, nullptr), -1);
    ASSERT_EQ(errno, EINPROGRESS);
    laio_event_assign(&sleep.event, base, laio_gethandle(), waiting_read::complete, &sleep);
    ASSERT_EQ(laio_event_add(&sleep.event, nullptr), 0);
    soon([&] { EXPECT_EQ(laio_cancel(sleep.event.handle), 0); });
    run();
    EXPECT_EQ(sleep.calls, 1);
    EXPECT_EQ(sleep.return_value, -1);
    EXPECT_EQ(sleep.error, ECANCELED) << "a cancel that is no timeout stays a cancel";
}

TEST_P(libevent_base, write_of_more_than_the_socket_holds_is_one_completion) {
    const descriptor_pair sockets(true);
    constexpr std::size_t size = 4U << 20U;
    const std::vector<char> data(size, 'w');
    waiting_read write;
    ASSERT_EQ(laio_syscall(SYS_write, static_cast<long>(sockets.writer()), data.data(), size), -1);
    ASSERT_EQ(errno, EINPROGRESS);
    laio_event_assign(&write.event, base, laio_gethandle(), waiting_read::complete, &write);
    ASSERT_EQ(laio_event_add(&write.event, nullptr), 0);

    struct drain_state {
        std::size_t drained = 0;
        event *readable = nullptr;
    } state;
    state.readable = event_new(
        base, sockets.reader(), EV_READ | EV_PERSIST,
        [](evutil_socket_t fd, short, void *arg) {
            auto &drain = *static_cast<drain_state *>(arg);
            std::array<char, 65536> buffer{};
            const ssize_t n = ::read(fd, buffer.data(), buffer.size());
            ASSERT_GT(n, 0);
            drain.drained += static_cast<std::size_t>(n);
            if (drain.drained == size) event_del(drain.readable);
        },
        &state);
    event_add(state.readable, nullptr);
    run();
    event_free(state.readable);
    EXPECT_EQ(write.calls, 1);
    EXPECT_EQ(write.return_value, static_cast<long>(size));
    EXPECT_EQ(state.drained, size);
}

TEST_P(libevent_base, drops_completions_that_have_no_event) {
    const descriptor_pair pipe;
    const descriptor_pair other;
    waiting_read without_event;
    without_event.start(base, pipe.reader());
    pipe.put();
    waiting_read read;
    read.start_and_add(base, other.reader());
    soon([&] { other.put(); });
    run();
    EXPECT_EQ(without_event.calls, 0);
    EXPECT_EQ(read.calls, 1);
}

// ---- What keeps the base running: U10 -------------------------------------------------------------------------------

TEST_P(libevent_base, attached_base_without_events_endsat_once) { run(); }

TEST_P(libevent_base, base_ends_when_the_last_event_was_delivered_or_deleted) {
    const descriptor_pair pipe;
    for (int round = 0; round < 3; ++round) {
        waiting_read delivered;
        delivered.start_and_add(base, pipe.reader());
        soon([&] { pipe.put(); });
        run();
        EXPECT_EQ(delivered.calls, 1);

        waiting_read deleted;
        deleted.start_and_add(base, pipe.reader());
        soon([&] { EXPECT_EQ(laio_event_del(&deleted.event), 0); });
        run();
        EXPECT_EQ(deleted.calls, 0);
        fetch_the_rest(); // so that the cancelled read does not take the next round's byte
    }
}

// ---- Timeouts: U3, U4 -----------------------------------------------------------------------------------------------

TEST_P(libevent_base, timeout_cancels_the_call_and_is_delivered_once) {
    const descriptor_pair pipe;
    const timeval timeout{0, 1000};
    waiting_read read;
    read.start_and_add(base, pipe.reader(), &timeout);
    run();
    EXPECT_EQ(read.calls, 1);
    EXPECT_EQ(read.return_value, -1);
    EXPECT_EQ(read.error, ETIMEDOUT);
    EXPECT_EQ(laio_outstanding(), 0);
    pipe.put('l');
    char byte = 0;
    EXPECT_EQ(::read(pipe.reader(), &byte, 1), 1) << "a call that has timed out takes nothing any more";
}

TEST_P(libevent_base, completion_before_the_timeout_stops_it) {
    const descriptor_pair pipe;
    const timeval timeout{3600, 0};
    waiting_read read;
    read.start_and_add(base, pipe.reader(), &timeout);
    soon([&] { pipe.put(); });
    run(); // an hour, if the timer were left
    EXPECT_EQ(read.calls, 1);
    EXPECT_EQ(read.error, 0);
}

TEST_P(libevent_base, timeout_and_completion_in_one_turn_deliver_one_of_them) {
    for (int round = 0; round < 50; ++round) {
        const descriptor_pair pipe;
        const timeval at_once{};
        waiting_read read;
        read.start_and_add(base, pipe.reader(), &at_once);
        pipe.put();
        run();
        ASSERT_EQ(read.calls, 1);
        if (read.return_value == 1) {
            ASSERT_EQ(read.error, 0);
            ASSERT_EQ(read.byte, '!');
        } else {
            ASSERT_EQ(read.return_value, -1);
            ASSERT_EQ(read.error, ETIMEDOUT);
        }
        ASSERT_EQ(laio_outstanding(), 0);
    }
}

// All bytes that went out, or, if none had yet, a timeout; never both.
TEST_P(libevent_base, timeout_of_a_write_delivers_the_bytes_that_went_out) {
    descriptor_pair sockets(true);
    const std::vector<char> data(4U << 20U, 'w');
    const timeval timeout{0, 1000};
    waiting_read write;
    ASSERT_EQ(laio_syscall(SYS_write, static_cast<long>(sockets.writer()), data.data(), data.size()), -1);
    ASSERT_EQ(errno, EINPROGRESS);
    laio_event_assign(&write.event, base, laio_gethandle(), waiting_read::complete, &write);
    ASSERT_EQ(laio_event_add(&write.event, &timeout), 0);
    run();
    EXPECT_EQ(write.calls, 1);
    sockets.close_writer();
    long received = 0;
    std::array<char, 65536> buffer{};
    while (const ssize_t n = ::read(sockets.reader(), buffer.data(), buffer.size())) {
        ASSERT_GT(n, 0);
        received += n;
    }
    EXPECT_LT(received, static_cast<long>(data.size()));
    EXPECT_EQ(write.return_value, received > 0 ? received : -1);
    EXPECT_EQ(write.error, received > 0 ? 0 : ETIMEDOUT);
}

TEST_P(libevent_base, adding_again_sets_the_timeout_anew) {
    const descriptor_pair pipe;
    const timeval an_hour{3600, 0};
    const timeval at_once{};
    waiting_read read;
    read.start_and_add(base, pipe.reader(), &an_hour);
    EXPECT_EQ(laio_event_add(&read.event, nullptr), 0);
    EXPECT_EQ(laio_event_add(&read.event, &at_once), 0);
    run();
    EXPECT_EQ(read.calls, 1);
    EXPECT_EQ(read.error, ETIMEDOUT);
}

// ---- Deleting and finalizing: U7, U8 --------------------------------------------------------------------------------

TEST_P(libevent_base, deleted_event_is_never_called_though_its_call_completes) {
    const descriptor_pair pipe;
    const descriptor_pair other;
    auto deleted = std::make_unique<waiting_read>();
    static char byte; // deleting leaves the memory with the call
    ASSERT_EQ(laio_syscall(SYS_read, static_cast<long>(pipe.reader()), &byte, 1L), -1);
    laio_event_assign(&deleted->event, base, laio_gethandle(), waiting_read::complete, deleted.get());
    ASSERT_EQ(laio_event_add(&deleted->event, nullptr), 0);
    pipe.put();
    EXPECT_EQ(laio_event_del(&deleted->event), 0);
    EXPECT_EQ(laio_event_del(&deleted->event), 0) << "deleting what is not added does nothing";
    EXPECT_EQ(laio_event_pending(&deleted->event), 0);
    EXPECT_EQ(deleted->calls, 0);
    deleted.reset(); // a late call would be a use after free

    waiting_read read;
    read.start_and_add(base, other.reader());
    soon([&] { other.put(); });
    run();
    EXPECT_EQ(read.calls, 1);
}

TEST_P(libevent_base, finalize_calls_the_other_function_when_the_call_is_complete) {
    struct client {
        waiting_read read;
        bool *freed;
    };
    const descriptor_pair pipe;
    const timeval an_hour{3600, 0};
    bool freed = false;
    auto *one = new client{{}, &freed};
    one->read.start_and_add(base, pipe.reader(), &an_hour);
    // The arg is the one of laio_event_assign(), here the waiting_read at the client's start.
    auto release = [](void *arg, long return_value, int error) {
        auto *self = reinterpret_cast<client *>(arg);
        EXPECT_EQ(return_value, -1);
        EXPECT_EQ(error, ECANCELED);
        EXPECT_EQ(self->read.calls, 0);
        *self->freed = true;
        delete self;
    };
    soon([&] {
        EXPECT_EQ(laio_event_finalize(&one->read.event, release), 0);
        EXPECT_FALSE(freed) << "never from within laio_event_finalize()";
        EXPECT_EQ(laio_event_pending(&one->read.event), 1);
        errno = 0;
        EXPECT_EQ(laio_event_add(&one->read.event, nullptr), -1);
        EXPECT_EQ(errno, EBUSY);
    });
    run();
    EXPECT_TRUE(freed);
    EXPECT_EQ(laio_outstanding(), 0);
}

TEST_P(libevent_base, finalize_hands_over_a_result_that_won) {
    const descriptor_pair pipe;
    static long result;
    result = 0;
    waiting_read read;
    read.start_and_add(base, pipe.reader());
    pipe.put();
    ASSERT_EQ(laio_event_finalize(&read.event,
                                  [](void *, long return_value, int error) { result = return_value == 1 ? 1 : error; }),
              0);
    run();
    EXPECT_EQ(read.calls, 0);
    char byte = 0;
    if (result == 1) {
        EXPECT_EQ(read.byte, '!');
    } else {
        EXPECT_EQ(result, ECANCELED);
        EXPECT_EQ(::read(pipe.reader(), &byte, 1), 1) << "cancelled, so the byte is still there";
    }
}

TEST_P(libevent_base, finalize_of_an_event_that_is_not_added_says_so) {
    const descriptor_pair pipe;
    waiting_read read;
    read.start(base, pipe.reader());
    errno = 0;
    EXPECT_EQ(laio_event_finalize(&read.event, waiting_read::complete), -1);
    EXPECT_EQ(errno, ENOENT);
}

TEST_P(libevent_base, finalize_is_answered_even_if_the_completion_was_fetched_behind_the_adapter) {
    const descriptor_pair pipe;
    waiting_read read;
    read.start_and_add(base, pipe.reader());
    pipe.put();
    EXPECT_EQ(fetch().laio_data, &read.event);
    ASSERT_EQ(laio_event_finalize(&read.event, waiting_read::complete), 0);
    EXPECT_EQ(read.calls, 0);
    run();
    EXPECT_EQ(read.calls, 1);
    EXPECT_EQ(read.error, ECANCELED);
}

// ---- Continuations that do things: U2 -------------------------------------------------------------------------------

TEST_P(libevent_base, continuation_reuses_its_event_for_the_next_call) {
    const descriptor_pair pipe;
    constexpr int rounds = 200;
    waiting_read read;
    read.then = [&](waiting_read &self) {
        if (self.calls == rounds) return;
        self.start_and_add(base, pipe.reader());
        pipe.put();
    };
    read.start_and_add(base, pipe.reader());
    soon([&] { pipe.put(); });
    run();
    EXPECT_EQ(read.calls, rounds);
}

TEST_P(libevent_base, continuation_deletes_events_whose_calls_are_complete_too) {
    // Whichever of the three comes first deletes the others; all are complete before the loop starts.
    std::array<descriptor_pair, 3> pipes;
    std::array<waiting_read, 3> reads;
    int calls = 0;
    for (std::size_t i = 0; i < reads.size(); ++i) {
        reads[i].then = [&](waiting_read &) {
            ++calls;
            for (auto &other : reads) EXPECT_EQ(laio_event_del(&other.event), 0);
        };
        reads[i].start_and_add(base, pipes[i].reader());
        pipes[i].put();
    }
    run();
    EXPECT_EQ(calls, 1);
    fetch_the_rest();
}

TEST_P(libevent_base, continuation_frees_the_structure_its_event_is_in) {
    const descriptor_pair pipe;
    bool done = false;
    auto *read = new waiting_read;
    read->then = [&done](waiting_read &self) {
        done = true;
        auto keep = std::move(self.then); // the function runs inside the object
        delete &self;
    };
    const timeval an_hour{3600, 0};
    read->start_and_add(base, pipe.reader(), &an_hour);
    soon([&] { pipe.put(); });
    run();
    EXPECT_TRUE(done);
}

TEST_P(libevent_base, loopbreak_leaves_the_rest_for_the_next_run) {
    std::array<descriptor_pair, 8> pipes;
    std::array<waiting_read, 8> reads;
    int calls = 0;
    for (std::size_t i = 0; i < reads.size(); ++i) {
        reads[i].then = [&](waiting_read &) {
            ++calls;
            event_base_loopbreak(base);
        };
        reads[i].start_and_add(base, pipes[i].reader());
        pipes[i].put();
    }
    for (int i = 1; i <= 8; ++i) {
        ASSERT_EQ(event_base_dispatch(base), 0);
        ASSERT_EQ(calls, i);
    }
    run();
    EXPECT_EQ(calls, 8);
}

TEST_P(libevent_base, continuation_that_detaches_ends_the_turn) {
    std::array<descriptor_pair, 3> pipes;
    std::array<waiting_read, 3> reads;
    int calls = 0;
    for (std::size_t i = 0; i < reads.size(); ++i) {
        reads[i].then = [&](waiting_read &) {
            ++calls;
            EXPECT_EQ(laio_event_detach(base), 0);
        };
        reads[i].start_and_add(base, pipes[i].reader());
        pipes[i].put();
    }
    run();
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(laio_outstanding(), 2) << "what was not delivered is the thread's again";
    fetch_the_rest();
    EXPECT_EQ(laio_event_attach(base), 0);
}

TEST_P(libevent_base, continuation_may_detach_and_attach_again) {
    const descriptor_pair pipe;
    const descriptor_pair other;
    waiting_read deleted;
    deleted.start_and_add(base, other.reader());
    waiting_read first;
    waiting_read second;
    first.then = [&](waiting_read &) {
        EXPECT_EQ(laio_event_detach(base), 0);
        EXPECT_EQ(laio_event_pending(&deleted.event), 0);
        EXPECT_EQ(laio_event_attach(base), 0);
        second.start_and_add(base, pipe.reader());
        pipe.put();
    };
    first.start_and_add(base, pipe.reader());
    pipe.put();
    run();
    EXPECT_EQ(first.calls, 1);
    EXPECT_EQ(second.calls, 1);
    EXPECT_EQ(deleted.calls, 0);
    EXPECT_EQ(laio_fini(), 0); // before the memory of `deleted` goes
    EXPECT_EQ(laio_event_detach(base), 0);
    EXPECT_EQ(laio_event_attach(base), 0);
}

// ---- With other events, and many of them: U11 -----------------------------------------------------------------------

TEST_P(libevent_base, a_thousand_calls_at_once_and_other_events_get_their_turns) {
    if (std::string(GetParam().method) == "select")
        GTEST_SKIP() << "select(2) cannot watch descriptors from FD_SETSIZE on";
    constexpr std::size_t count = 1000;
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < 2 * count + 100) {
        limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 2 * count + 100);
        ::setrlimit(RLIMIT_NOFILE, &limit);
        if (limit.rlim_cur < 2 * count + 100)
            GTEST_SKIP() << "needs " << 2 * count + 100 << " descriptors, the limit is " << limit.rlim_cur;
    }
    std::vector<std::unique_ptr<descriptor_pair>> sockets;
    std::vector<waiting_read> reads(count);
    std::size_t done = 0;
    std::size_t done_at_first_tick = 0;
    for (std::size_t i = 0; i < count; ++i) {
        sockets.push_back(std::make_unique<descriptor_pair>(true));
        reads[i].then = [&](waiting_read &) { ++done; };
        reads[i].start_and_add(base, sockets[i]->reader());
    }
    for (std::size_t i = 0; i < count; ++i) sockets[i]->put(static_cast<char>('a' + i % 26));
    // A descriptor that is always ready: it has to run long before all thousand have been handed over.
    const descriptor_pair busy;
    busy.put();
    struct tick_state {
        const std::size_t *done;
        std::size_t *first;
        int ticks = 0;
        event *ready = nullptr;
    } tick{&done, &done_at_first_tick, 0, nullptr};
    tick.ready = event_new(
        base, busy.reader(), EV_READ | EV_PERSIST,
        [](evutil_socket_t, short, void *arg) {
            auto &self = *static_cast<tick_state *>(arg);
            if (self.ticks++ == 0) *self.first = *self.done;
            if (*self.done == count) event_del(self.ready);
        },
        &tick);
    event_add(tick.ready, nullptr);
    run();
    event_free(tick.ready);
    EXPECT_EQ(done, count);
    for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(reads[i].calls, 1);
        ASSERT_EQ(reads[i].byte, static_cast<char>('a' + i % 26));
    }
    EXPECT_LT(done_at_first_tick, count / 2) << "completions came in one unbounded batch";
    EXPECT_GE(tick.ticks, 3);
}

TEST_P(libevent_base, sockets_timers_and_calls_mixed) {
    const descriptor_pair pipe;
    const descriptor_pair sockets(true);
    std::string order;
    waiting_read read;
    waiting_read timed;
    read.then = [&](waiting_read &) {
        order += 'r';
        sockets.put();
    };
    timed.then = [&](waiting_read &self) {
        order += 't';
        EXPECT_EQ(self.error, ETIMEDOUT);
        pipe.put();
    };
    const descriptor_pair never;
    const timeval short_time{0, 1000};
    read.start_and_add(base, pipe.reader());
    timed.start_and_add(base, never.reader(), &short_time);
    auto readable = [](evutil_socket_t, short, void *arg) { *static_cast<std::string *>(arg) += 's'; };
    ASSERT_EQ(event_base_once(base, sockets.reader(), EV_READ, readable, &order, nullptr), 0);
    run();
    EXPECT_EQ(order, "trs");
}

// ---- Misuse, refused with an error: U9, U12 -------------------------------------------------------------------------

TEST_P(libevent_base, add_refuses_what_is_no_background_call) {
    laio_event event{};
    const timeval no_time{0, 1000000};
    errno = 0;
    EXPECT_EQ(laio_event_add(nullptr, nullptr), -1);
    EXPECT_EQ(errno, EINVAL);

    laio_event_assign(&event, base, nullptr, waiting_read::complete, nullptr);
    errno = 0;
    EXPECT_EQ(laio_event_add(&event, nullptr), -1) << "the handle of a call that completed in place is NULL";
    EXPECT_EQ(errno, EINVAL);

    const descriptor_pair pipe;
    waiting_read read;
    read.start(base, pipe.reader());
    errno = 0;
    EXPECT_EQ(laio_event_add(&read.event, &no_time), -1);
    EXPECT_EQ(errno, EINVAL);
    laio_event_assign(&event, base, read.event.handle, nullptr, nullptr);
    errno = 0;
    EXPECT_EQ(laio_event_add(&event, nullptr), -1);
    EXPECT_EQ(errno, EINVAL);
    run(); // nothing was left behind that would keep it
    laio_cancel(read.event.handle);
    EXPECT_EQ(fetch().laio_data, nullptr);
}

TEST_P(libevent_base, one_thread_one_base) {
    event_base *second = event_base_new();
    EXPECT_EQ(laio_event_attach(base), 0) << "the same again is nothing new";
    errno = 0;
    EXPECT_EQ(laio_event_attach(second), -1);
    EXPECT_EQ(errno, EBUSY);
    errno = 0;
    EXPECT_EQ(laio_event_detach(second), -1);
    EXPECT_EQ(errno, EINVAL);

    const descriptor_pair pipe;
    waiting_read read;
    read.start_and_add(base, pipe.reader());
    waiting_read elsewhere;
    const descriptor_pair other;
    elsewhere.start(second, other.reader());
    errno = 0;
    EXPECT_EQ(laio_event_add(&elsewhere.event, nullptr), -1);
    EXPECT_EQ(errno, EPERM);

    std::thread([&] {
        errno = 0;
        EXPECT_EQ(laio_event_attach(base), -1);
        EXPECT_EQ(errno, EBUSY);
        errno = 0;
        EXPECT_EQ(laio_event_detach(base), -1);
        EXPECT_EQ(errno, EINVAL);
        errno = 0;
        EXPECT_EQ(laio_event_del(&read.event), -1);
        EXPECT_EQ(errno, EPERM);
        errno = 0;
        EXPECT_EQ(laio_event_finalize(&read.event, waiting_read::complete), -1);
        EXPECT_EQ(errno, EPERM);
    }).join();

    EXPECT_EQ(laio_event_del(&read.event), 0);
    EXPECT_EQ(laio_event_detach(base), 0);
    EXPECT_EQ(laio_fini(), 0);
    EXPECT_EQ(laio_event_attach(base), 0);
    event_base_free(second);
}

TEST_P(libevent_base, each_thread_has_a_base_of_its_own) {
    std::array<int, 4> calls{};
    std::vector<std::thread> threads;
    threads.reserve(calls.size());
    for (auto &sum : calls)
        threads.emplace_back([&sum, own = make_base()] {
            ASSERT_EQ(laio_event_attach(own), 0);
            const descriptor_pair pipe;
            for (int round = 0; round < 20; ++round) {
                waiting_read read;
                read.start_and_add(own, pipe.reader());
                pipe.put();
                ASSERT_EQ(event_base_dispatch(own), 1);
                sum += read.calls;
            }
            EXPECT_EQ(laio_event_detach(own), 0);
            event_base_free(own);
        });
    for (auto &thread : threads) thread.join();
    for (const int sum : calls) EXPECT_EQ(sum, 20);
}

TEST_P(libevent_base, thread_that_ends_attached_leaves_the_base_to_others) {
    event_base *own = make_base();
    std::thread([own] { ASSERT_EQ(laio_event_attach(own), 0); }).join();
    std::thread([own] {
        EXPECT_EQ(laio_event_attach(own), 0);
        EXPECT_EQ(laio_event_detach(own), 0);
    }).join();
    event_base_free(own);
}

// ---- The end: U13, U14, U15 -----------------------------------------------------------------------------------------

TEST_P(libevent_base, detach_deletes_the_events_and_gives_laio_poll_back) {
    const descriptor_pair pipe;
    const timeval at_once{};
    waiting_read read;
    read.start_and_add(base, pipe.reader(), &at_once);
    EXPECT_EQ(laio_event_detach(base), 0);
    EXPECT_EQ(laio_event_pending(&read.event), 0);
    run(); // no timer and no watch of ours is left
    EXPECT_EQ(read.calls, 0);
    const laio_completion completion = fetch();
    EXPECT_EQ(completion.laio_errno, ECANCELED);
    EXPECT_EQ(completion.laio_data, nullptr);
    EXPECT_EQ(laio_event_attach(base), 0);
}

TEST_P(libevent_base, loop_of_laio_may_end_and_begin_again_between_events) {
    const descriptor_pair pipe;
    for (int round = 0; round < 3; ++round) {
        waiting_read read;
        read.start_and_add(base, pipe.reader());
        pipe.put();
        run();
        EXPECT_EQ(read.calls, 1);
        EXPECT_EQ(laio_fini(), 0);
    }
}

TEST_P(libevent_base, base_freed_first_is_harmless_when_no_event_is_added) {
    event_base *other = make_base();
    std::thread([other] {
        const descriptor_pair pipe;
        ASSERT_EQ(laio_event_attach(other), 0);
        waiting_read read;
        read.start_and_add(other, pipe.reader());
        pipe.put();
        ASSERT_EQ(event_base_dispatch(other), 1);
        event_base_free(other);
        EXPECT_EQ(laio_event_detach(other), 0); // the pointer is compared, not followed
    }).join();
}

TEST_P(libevent_base, child_of_a_fork_detaches_and_attaches_anew) {
    const descriptor_pair pipe;
    waiting_read read;
    read.start_and_add(base, pipe.reader());
    const pid_t child = ::fork();
    ASSERT_NE(child, -1);
    if (child == 0) {
        ::alarm(60);
        const descriptor_pair own;
        waiting_read again;
        if (event_reinit(base) != 0) ::_exit(2);
        if (laio_event_detach(base) != 0 || laio_event_attach(base) != 0) ::_exit(3);
        again.start_and_add(base, own.reader());
        own.put();
        if (event_base_dispatch(base) != 1) ::_exit(4);
        ::_exit(again.calls == 1 && again.return_value == 1 && read.calls == 0 ? 0 : 5);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
    pipe.put();
    run();
    EXPECT_EQ(read.calls, 1);
    EXPECT_EQ(read.return_value, 1);
}

TEST(libevent_misuse, attach_and_detach_refuse_no_base) {
    errno = 0;
    EXPECT_EQ(laio_event_attach(nullptr), -1);
    EXPECT_EQ(errno, EINVAL);
    errno = 0;
    EXPECT_EQ(laio_event_detach(nullptr), -1);
    EXPECT_EQ(errno, EINVAL);
    errno = 0;
    EXPECT_EQ(laio_event_del(nullptr), -1);
    EXPECT_EQ(errno, EINVAL);
    EXPECT_EQ(laio_event_pending(nullptr), 0);
}

TEST(libevent_misuse, a_base_run_by_another_thread_is_a_loud_error) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(
        {
            event_base *base = event_base_new();
            const descriptor_pair pipe;
            waiting_read read;
            if (laio_event_attach(base) == 0) {
                read.start_and_add(base, pipe.reader());
                pipe.put();
                std::thread([base] { event_base_dispatch(base); }).join();
            }
        },
        "a base is run by a thread that did not attach it");
}

} // namespace
