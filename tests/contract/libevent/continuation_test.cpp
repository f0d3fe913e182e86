// What the function of an event may do: use the event again, delete others, free its own structure, end the loop, detach
// and attach (U2).
#include "fixture.hpp"

#include <array>

namespace laio::test {
namespace {

TEST_P(libevent_base, continuation_reuses_its_event_for_the_next_call) {
    constexpr int rounds = 200;
    waiting_read read;
    read.then = [&] {
        if (read.calls == rounds) return;
        read.begin_and_add(base);
        read.put();
    };
    read.begin_and_add(base);
    put_soon(read);
    run();
    EXPECT_EQ(read.calls, rounds);
}

TEST_P(libevent_base, continuation_deletes_events_whose_calls_are_complete_too) {
    std::array<waiting_read, 3> reads;
    int calls = 0;
    begin_complete(reads, [&] { // whichever comes first deletes the others
        ++calls;
        for (auto &other : reads) EXPECT_EQ(laio_event_del(&other.event), 0);
    });
    run();
    EXPECT_EQ(calls, 1);
    fetch_the_rest();
}

TEST_P(libevent_base, continuation_frees_the_structure_its_event_is_in) {
    bool done = false;
    auto *read = new waiting_read;
    read->then = [&done, read] {
        done = true;
        delete read;
    };
    read->begin_and_add(base, &an_hour);
    put_soon(*read);
    run();
    EXPECT_TRUE(done);
}

TEST_P(libevent_base, loopbreak_leaves_the_rest_for_the_next_run) {
    std::array<waiting_read, 8> reads;
    int calls = 0;
    begin_complete(reads, [&] {
        ++calls;
        event_base_loopbreak(base);
    });
    for (int i = 1; i <= 8; ++i) {
        ASSERT_EQ(event_base_dispatch(base), 0);
        ASSERT_EQ(calls, i);
    }
    run();
    EXPECT_EQ(calls, 8);
}

TEST_P(libevent_base, continuation_that_detaches_ends_the_turn) {
    std::array<waiting_read, 3> reads;
    int calls = 0;
    begin_complete(reads, [&] {
        ++calls;
        EXPECT_EQ(laio_event_detach(base), 0);
    });
    run();
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(laio_outstanding(), 2) << "what was not delivered is the thread's again";
    fetch_the_rest();
    EXPECT_EQ(laio_event_attach(base), 0);
}

TEST_P(libevent_base, continuation_may_detach_and_attach_again) {
    waiting_read deleted;
    deleted.begin_and_add(base);
    waiting_read first;
    waiting_read second;
    first.then = [&] {
        EXPECT_EQ(laio_event_detach(base), 0);
        EXPECT_FALSE(deleted.is_pending());
        EXPECT_EQ(laio_event_attach(base), 0);
        second.begin_and_add(base);
        second.put();
    };
    first.begin_and_add(base);
    first.put();
    run();
    EXPECT_EQ(first.calls, 1);
    EXPECT_EQ(second.calls, 1);
    EXPECT_EQ(deleted.calls, 0);
    EXPECT_EQ(laio_fini(), 0); // before the memory of `deleted` goes
    EXPECT_EQ(laio_event_detach(base), 0);
    EXPECT_EQ(laio_event_attach(base), 0);
}

} // namespace
} // namespace laio::test
