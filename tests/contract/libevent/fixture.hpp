// The fixture of the tests of laio_event(3), on the real libevent: each test is a sentence of that page, U1 to U15 are
// its promises. Every test runs on each of libevent's methods, because laio_fd() must wake them all.
//
// Nothing here waits for time to pass but the tests of timeouts, and those only for an order of events; a hang is ended
// by ctest. The calls of a test are owned by it and have ended, or are ended by TearDown(), before it returns.
#pragma once

#include "../resources.hpp"

#include <cerrno>
#include <cstdint>
#include <event2/event.h>
#include <functional>
#include <gtest/gtest.h>
#include <laio/libevent.h>
#include <span>
#include <sys/syscall.h>
#include <sys/time.h>

namespace laio::test {

inline constexpr timeval at_once{};
inline constexpr timeval a_moment{0, 1000};
inline constexpr timeval an_hour{3600, 0};

// A call in the background and its event: what the event's function was called with.
struct background_call {
    laio_event event{};
    int calls = 0; // of the function
    long return_value = 0;
    int error = 0;
    std::function<void()> then; // the rest of the function; may end the life of this structure

    static void complete(void *arg, long return_value, int error);

    // Makes the call, which has to go to the background, and assigns the event.
    template <class... argument> void begin(event_base *base, long number, argument... values) {
        errno = 0;
        ASSERT_EQ(laio_syscall(number, values...), -1);
        ASSERT_EQ(errno, EINPROGRESS);
        laio_event_assign(&event, base, laio_gethandle(), complete, this);
    }
    void add(const timeval *timeout = nullptr) { ASSERT_EQ(laio_event_add(&event, timeout), 0); }

    [[nodiscard]] bool is_pending() const { return laio_event_pending(&event) == 1; }
    [[nodiscard]] testing::AssertionResult was_called_once(long expected_value, int expected_error) const;
};

// A read of one byte from a pipe of its own, which is empty: it waits until put().
struct waiting_read : background_call {
    pipe_ends pipe;
    char byte = 0;

    waiting_read() : waiting_read(make_pipe()) {}
    explicit waiting_read(pipe_ends ends) : pipe{std::move(ends)} {}

    void begin(event_base *base) {
        background_call::begin(base, SYS_read, static_cast<long>(pipe.reader.get()), &byte, 1L);
    }
    void begin_and_add(event_base *base, const timeval *timeout = nullptr) {
        begin(base);
        if (!testing::Test::HasFatalFailure()) add(timeout);
    }
    void put(char sent = '!') const { write_all(pipe.writer.get(), {&sent, 1}); }
};

// An event of libevent's own: calls the function whenever the descriptor is readable, until stop().
class watch {
public:
    watch(event_base *base, int fd, std::function<void()> function);
    watch(const watch &) = delete;
    watch &operator=(const watch &) = delete;
    ~watch() { event_free(event_); }
    void stop() { event_del(event_); }

private:
    event *event_;
    std::function<void()> function_;
};

// The errno with which the function fails, or 0.
template <class... parameter, class... argument> int error_of(int (*function)(parameter...), argument... values) {
    errno = 0;
    return function(values...) == -1 ? errno : 0;
}

struct base_kind {
    const char *name;
    const char *method;
    int flags = 0;
    std::uint32_t laio_flags = 0;
};

std::ostream &operator<<(std::ostream &out, const base_kind &kind);

class libevent_base : public testing::TestWithParam<base_kind> {
protected:
    void SetUp() override;
    void TearDown() override;

    // Another base of the kind. Not in several threads at once: libevent keeps the list of methods in a static array.
    static event_base *make_base();

    // Runs until no event is left.
    void run() { ASSERT_EQ(event_base_dispatch(base), 1); }

    // Calls `function` from the loop, in a turn of its own.
    void soon(const std::function<void()> &function);
    void put_soon(const waiting_read &read) {
        soon([&read] { read.put(); });
    }

    // All of them begun, added, and complete before the loop starts; each then does the same.
    void begin_complete(std::span<waiting_read> reads, const std::function<void()> &then);

    // A completion past the adapter.
    static laio_completion fetch();
    // Completions of deleted events, which the next run would drop.
    static void fetch_the_rest();

    event_base *base = nullptr;
};

} // namespace laio::test
