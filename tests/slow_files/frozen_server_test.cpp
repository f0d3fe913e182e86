// A file system whose server does not answer: the calls stay outstanding and the loop lives; a cancelled call ends as far as
// the kernel lets go of it; and laio_fini() waits for nothing but that.
//
// What the kernel does (Linux 6.18, fuse): a signal to a thread that waits for an answer is passed on to the server as a
// request to give up. If that answers so, the call ends, and laio_cancel() has worked. If not, the thread waits on, deaf to
// all but the server's answer or its end. Who waits for a page to be read, or for the parts of a direct write, is deaf to
// signals from the beginning: slow_call::may_be_held().
//
// So the one interruption of a request should be the cancel's. A call that was left behind with handlers open is interrupted
// before that, to keep them away from it: a server that gives up then gets the call anew, one that does not is not asked again.
#include "fixture.hpp"

#include <algorithm>
#include <csignal>
#include <iostream>
#include <thread>

namespace laio::test {
namespace {

constexpr outcome cancelled{-1, ECANCELED};

std::size_t held() {
    const auto calls = slow_calls();
    return static_cast<std::size_t>(
        std::count_if(calls.begin(), calls.end(), [](auto &one) { return one.may_be_held(); }));
}

// The connection is ended; a page that cannot be read is EIO.
bool is_of_lost_server(const outcome &result) {
    return result.value == -1 && (result.error == ECONNABORTED || result.error == ENOTCONN || result.error == EIO);
}

class frozen_server : public slow_files_test {
protected:
    static laio_options options_with_signals_blocked() {
        laio_options options = options_of_set();
        options.flags |= LAIO_SIGNALS_BLOCKED; // but for the deadline's, which ends the test
        return options;
    }

    void SetUp() override {
        slow_files_test::SetUp();
        restart_loop(options_with_signals_blocked());
    }

    // Turns the loop with its clock until it is so.
    static void turn_until(const std::function<bool()> &is_so) { ticker{}.largest_gap_ns(is_so); }
    static void turn_for_a_while() { ticker{}.largest_gap_ns(50); }

    // One in each turn of the loop, until all of them wait at the server, but for a close that was interrupted: it is over.
    std::vector<call_record *> begin_all(const std::vector<played> &all) {
        std::vector<call_record *> calls;
        turn_until([&] {
            if (calls.size() < all.size()) calls.push_back(all[calls.size()].begin());
            return calls.size() == all.size() && static_cast<std::ptrdiff_t>(files().waiting()) == outstanding(calls);
        });
        for (std::size_t one = 0; one < all.size(); ++one) {
            const slow_call &call = *all[one].call;
            EXPECT_FALSE(calls[one]->is_direct()) << call.name << ": " << calls[one]->result;
            EXPECT_TRUE(!calls[one]->complete || call.is == slow_call::trait::closes) << call.name;
        }
        return calls;
    }

    static void cancel_all(const std::vector<call_record *> &calls) {
        for (const call_record *call : calls) {
            if (!call->complete) { EXPECT_EQ(laio_cancel(call->handle), 0); }
        }
    }

    static void expect_cancelled_or_complete(const std::vector<played> &all, const std::vector<call_record *> &calls) {
        for (std::size_t one = 0; one < all.size(); ++one) {
            const outcome result = finish(calls[one]);
            EXPECT_TRUE(result.value >= 0 || result == cancelled) << all[one].call->name << ": " << result;
            all[one].clean_up(result);
        }
    }

    // A descriptor would be lost with its completion.
    std::vector<played> play_each_that_opens_nothing() {
        std::vector<played> all = play_each();
        std::erase_if(all, [](const played &one) { return one.call->is == slow_call::trait::opens; });
        return all;
    }

    void cancel_at_a_server_that_gives_up() {
        const std::vector<played> all = play_each();
        files().freeze();
        const std::vector<call_record *> calls = begin_all(all);
        cancel_all(calls);
        for (std::size_t one = 0; one < all.size(); ++one) {
            const slow_call &call = *all[one].call;
            if (call.may_be_held()) continue;
            const outcome result = finish(calls[one]);
            const bool closed = call.is == slow_call::trait::closes && result == outcome{0, 0};
            EXPECT_TRUE(result == cancelled || closed) << call.name << ": " << result;
        }
        turn_for_a_while();
        for (std::size_t one = 0; one < all.size(); ++one)
            if (!calls[one]->complete) std::cout << "the kernel does not let go of: " << all[one].call->name << "\n";
        files().release();
        expect_cancelled_or_complete(all, calls);
    }

    static std::ptrdiff_t outstanding(const std::vector<call_record *> &calls) {
        return std::count_if(calls.begin(), calls.end(), [](const call_record *call) { return !call->complete; });
    }
};

TEST_P(frozen_server, calls_stay_outstanding_and_the_loop_lives) {
    const std::vector<played> all = play_each();
    files().freeze();
    const std::vector<call_record *> calls = begin_all(all);
    turn_for_a_while();
    EXPECT_EQ(outstanding(calls), static_cast<std::ptrdiff_t>(calls.size()));
    files().release();
    for (std::size_t one = 0; one < all.size(); ++one) {
        EXPECT_GE(finish(calls[one]).value, 0) << all[one].call->name << ": " << calls[one]->result;
        all[one].clean_up(calls[one]->result);
    }
    EXPECT_EQ(laio_outstanding(), 0);
}

TEST_P(frozen_server, cancelled_calls_end_when_the_server_gives_them_up) { cancel_at_a_server_that_gives_up(); }

// What the server gave up for the first interruption is made again, and cancelled there.
TEST_P(frozen_server, cancelled_calls_end_though_handlers_are_open) {
    restart_loop(options_of_set());
    cancel_at_a_server_that_gives_up();
}

// The deadline's handler is the process's only one.
TEST_P(frozen_server, calls_are_not_interrupted_where_what_is_handled_is_blocked) {
    restart_loop(options_of_set());
    sigset_t handled;
    sigemptyset(&handled);
    sigaddset(&handled, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &handled, nullptr);
    const std::vector<played> all = play_each();
    files().freeze(true);
    const std::vector<call_record *> calls = begin_all(all);
    turn_for_a_while();
    EXPECT_EQ(files().interrupted(), 0);
    files().release();
    for (std::size_t one = 0; one < all.size(); ++one) all[one].clean_up(finish(calls[one]));
    pthread_sigmask(SIG_UNBLOCK, &handled, nullptr);
}

TEST_P(frozen_server, cancelled_calls_wait_for_a_server_that_does_not_give_them_up) {
    const std::vector<played> all = play_each();
    files().freeze(true);
    const std::vector<call_record *> calls = begin_all(all);
    cancel_all(calls);
    turn_until([&] { return files().interrupted() >= all.size() - held(); });
    turn_for_a_while();
    EXPECT_EQ(outstanding(calls), static_cast<std::ptrdiff_t>(calls.size()));
    files().release();
    expect_cancelled_or_complete(all, calls);
}

// More than the carriers carry: the others wait for one.
TEST_P(frozen_server, a_thousand_calls_wait) {
    constexpr std::size_t count = 1000;
    const played one = play(*std::find_if(slow_calls().begin(), slow_calls().end(),
                                          [](const slow_call &call) { return call.number == SYS_fstat; }));
    files().freeze();
    std::vector<call_record *> calls;
    for (std::size_t made = 0; made < count; ++made) calls.push_back(one.begin());
    wait_until([&] { return files().waiting() >= 64; }); // without the clock, which may need a carrier as well
    EXPECT_EQ(laio_outstanding(), static_cast<int>(count));
    for (std::size_t made = 0; made < count; made += 2) EXPECT_EQ(laio_cancel(calls[made]->handle), 0);
    for (std::size_t made = 0; made < count; made += 2) EXPECT_EQ(finish(calls[made]), cancelled);
    files().release();
    for (std::size_t made = 1; made < count; made += 2) EXPECT_EQ(finish(calls[made]), (outcome{0, 0}));
}

// Not even the request to give up is read.
TEST_P(frozen_server, stopped_server_goes_on) {
    const std::vector<played> all = play_each();
    files().stop();
    std::vector<call_record *> calls;
    turn_until([&] {
        if (calls.size() < all.size()) calls.push_back(all[calls.size()].begin());
        return calls.size() == all.size();
    });
    turn_for_a_while();
    EXPECT_EQ(outstanding(calls), static_cast<std::ptrdiff_t>(calls.size()));
    cancel_all(calls);
    turn_for_a_while();
    files().release();
    expect_cancelled_or_complete(all, calls);
}

TEST_P(frozen_server, killed_server_ends_its_calls) {
    const std::vector<played> all = play_each();
    files().freeze(true);
    const std::vector<call_record *> calls = begin_all(all);
    files().kill();
    for (std::size_t one = 0; one < all.size(); ++one) {
        EXPECT_TRUE(is_of_lost_server(finish(calls[one]))) << all[one].call->name << ": " << calls[one]->result;
        all[one].clean_up(calls[one]->result);
    }
    struct stat status {};
    const outcome after = done(SYS_newfstatat, AT_FDCWD, files().path("scene_0/file").c_str(), &status, 0);
    EXPECT_EQ(after.value, -1) << after; // ENOTCONN, or ENOENT where it is unmounted already
}

// laio_fini() cancels, and waits for what has not ended yet.
TEST_P(frozen_server, fini_ends_what_the_server_gives_up) {
    std::vector<played> all = play_each();
    std::erase_if(all, [](const played &one) { return one.call->may_be_held(); });
    files().freeze();
    begin_all(all);
    EXPECT_EQ(laio_fini(), 0);
    EXPECT_EQ(laio_outstanding(), 0);
    EXPECT_GE(files().interrupted(), all.size());
    files().release(); // the scenes are closed now
}

TEST_P(frozen_server, fini_waits_until_the_server_is_released) {
    const std::vector<played> all = play_each_that_opens_nothing();
    files().freeze(true);
    begin_all(all);
    // It has begun when its cancels arrive.
    std::thread other{[&] {
        wait_until([&] { return files().interrupted() >= all.size() - held(); });
        files().release();
    }};
    EXPECT_EQ(laio_fini(), 0);
    EXPECT_EQ(laio_outstanding(), 0);
    EXPECT_GE(files().interrupted(), all.size() - held());
    other.join();
}

TEST_P(frozen_server, fini_waits_until_the_server_is_killed) {
    const std::vector<played> all = play_each_that_opens_nothing();
    files().freeze(true);
    begin_all(all);
    std::thread other{[&] {
        wait_until([&] { return files().interrupted() >= all.size() - held(); });
        files().kill();
    }};
    EXPECT_EQ(laio_fini(), 0);
    EXPECT_EQ(laio_outstanding(), 0);
    other.join();
}

// The same at the end of a thread that has a loop.
TEST_P(frozen_server, thread_ends_when_the_server_is_released) {
    const std::vector<played> all = play_each_that_opens_nothing();
    files().freeze(true);
    std::thread owner{[&] {
        const laio_options options = options_with_signals_blocked();
        ASSERT_EQ(laio_init(&options), 0);
        begin_all(all);
        forget_calls();
    }};
    wait_until([&] { return files().interrupted() >= all.size() - held(); });
    files().release();
    owner.join();
}

LAIO_CONTRACT_SUITE(frozen_server);

} // namespace
} // namespace laio::test
