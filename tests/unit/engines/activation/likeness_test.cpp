// What the status of a thread says of the call that it makes, and who reads it.
#include "engines/activation/likeness.hpp"

#include "engines/activation/guest_thread.hpp"
#include "engines/members.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <memory>

namespace {

using laio::all_signals;
using laio::bit_of_signal;
using laio::catches_any;
using laio::guest;
using laio::likeness;
using laio::match;
using laio::member;
using laio::setxid_signal;
using laio::shows_blocked_call;
using laio::thread_status;

constexpr int cancel_signal = 64; // the library's
constexpr int thread_cancel_signal = 32;
constexpr std::uint64_t closed = all_signals & ~bit_of_signal(cancel_signal);

thread_status status_of(char state, std::uint64_t caught = 0, std::uint64_t blocked = 0) {
    thread_status status{};
    status.state = state;
    status.caught = caught;
    status.blocked = blocked;
    return status;
}

TEST(likeness, of_a_thread_that_sleeps_shows_a_blocked_call) {
    for (const char state : {'S', 'D'}) EXPECT_TRUE(shows_blocked_call(status_of(state), closed, false)) << state;
    for (const char state : {'R', 'T', 't', 'X', 'Z', 'I', '\0'}) {
        EXPECT_FALSE(shows_blocked_call(status_of(state), closed, false)) << state;
        EXPECT_FALSE(shows_blocked_call(status_of(state), closed, true)) << state;
    }
}

// It may sleep in a handler of the application's.
TEST(likeness, shows_no_call_where_a_handler_may_run_on_top) {
    for (const int number : {SIGHUP, SIGUSR1, SIGCHLD, 31, 34, 63, thread_cancel_signal}) {
        const thread_status status = status_of('S', bit_of_signal(number));
        EXPECT_TRUE(catches_any(status, closed)) << number;
        EXPECT_FALSE(shows_blocked_call(status, closed, false)) << number;
        // a handler's own mask looks the same
        EXPECT_FALSE(shows_blocked_call(status_of('S', bit_of_signal(number), all_signals), closed, false)) << number;
        EXPECT_TRUE(shows_blocked_call(status, closed, true)) << "promised: none runs outside laio_poll(); " << number;
    }
}

TEST(likeness, shows_a_call_where_only_we_catch_signals) {
    const std::uint64_t ours = bit_of_signal(setxid_signal) | bit_of_signal(cancel_signal);
    EXPECT_FALSE(catches_any(status_of('S', ours), closed));
    EXPECT_TRUE(shows_blocked_call(status_of('S', ours), closed, false));
}

// All signals are blocked there, 33 among them, as nobody else may block it.
TEST(likeness, shows_no_call_in_the_handler_of_messages) {
    const thread_status status = status_of('S', 0, ~std::uint64_t{0});
    EXPECT_FALSE(shows_blocked_call(status, closed, false));
    EXPECT_FALSE(shows_blocked_call(status, closed, true));
}

class matching : public testing::Test {
protected:
    matching() {
        me_.membership = &membership_;
        me_.status_file = other_.status_file = -1; // nobody can be asked
    }

    member membership_{};
    guest me_{};
    guest other_{};
};

TEST_F(matching, believes_what_was_read_before) {
    thread_status seen = status_of('S');
    seen.may.uid[1] = me_.known.uid[1] = 7;
    EXPECT_EQ(match(me_, other_, seen), likeness::same);
}

TEST_F(matching, reads_what_was_not) {
    thread_status seen{};
    EXPECT_EQ(match(me_, other_, seen), likeness::never);
}

TEST_F(matching, reads_again_what_differs) {
    thread_status seen = status_of('S');
    seen.may.uid[1] = 7;
    EXPECT_EQ(match(me_, other_, seen), likeness::never);
}

} // namespace
