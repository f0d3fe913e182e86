// A base and the thread that attached it: one each (U12), other misuse refused with an error (U9), and how the two part:
// by detaching, by laio_fini(), by the end of the thread, by a fork (U13, U14, U15).
#include "fixture.hpp"

#include <array>
#include <thread>
#include <vector>

namespace laio::test {
namespace {

TEST_P(libevent_base, add_refuses_what_is_no_background_call) {
    laio_event event{};
    const timeval no_time{0, 1000000};
    EXPECT_EQ(error_of(laio_event_add, nullptr, nullptr), EINVAL);

    laio_event_assign(&event, base, nullptr, background_call::complete, nullptr);
    EXPECT_EQ(error_of(laio_event_add, &event, nullptr), EINVAL)
        << "the handle of a call that completed in place is NULL";

    waiting_read read;
    read.begin(base);
    EXPECT_EQ(error_of(laio_event_add, &read.event, &no_time), EINVAL);
    laio_event_assign(&event, base, read.event.handle, nullptr, nullptr);
    EXPECT_EQ(error_of(laio_event_add, &event, nullptr), EINVAL);
    run(); // nothing was left behind that would keep it
    laio_cancel(read.event.handle);
    EXPECT_EQ(fetch().laio_data, nullptr);
}

TEST_P(libevent_base, one_thread_one_base) {
    event_base *second = event_base_new();
    EXPECT_EQ(laio_event_attach(base), 0) << "the same again is nothing new";
    EXPECT_EQ(error_of(laio_event_attach, second), EBUSY);
    EXPECT_EQ(error_of(laio_event_detach, second), EINVAL);

    waiting_read read;
    read.begin_and_add(base);
    waiting_read elsewhere;
    elsewhere.begin(second);
    EXPECT_EQ(error_of(laio_event_add, &elsewhere.event, nullptr), EPERM);

    std::thread([&] {
        EXPECT_EQ(error_of(laio_event_attach, base), EBUSY);
        EXPECT_EQ(error_of(laio_event_detach, base), EINVAL);
        EXPECT_EQ(error_of(laio_event_del, &read.event), EPERM);
        EXPECT_EQ(error_of(laio_event_finalize, &read.event, background_call::complete), EPERM);
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
            waiting_read read;
            for (int round = 0; round < 20; ++round) {
                read.begin_and_add(own);
                read.put();
                ASSERT_EQ(event_base_dispatch(own), 1);
            }
            sum = read.calls;
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
    waiting_read read;
    read.begin_and_add(base, &at_once);
    EXPECT_EQ(laio_event_detach(base), 0);
    EXPECT_FALSE(read.is_pending());
    run(); // no timer and no watch of ours is left
    EXPECT_EQ(read.calls, 0);
    const laio_completion completion = fetch();
    EXPECT_EQ(completion.laio_errno, ECANCELED);
    EXPECT_EQ(completion.laio_data, nullptr);
    EXPECT_EQ(laio_event_attach(base), 0);
}

TEST_P(libevent_base, loop_of_laio_may_end_and_begin_again_between_events) {
    for (int round = 0; round < 3; ++round) {
        waiting_read read;
        read.begin_and_add(base);
        read.put();
        run();
        EXPECT_EQ(read.calls, 1);
        EXPECT_EQ(laio_fini(), 0);
    }
}

TEST_P(libevent_base, base_freed_first_is_harmless_when_no_event_is_added) {
    event_base *other = make_base();
    std::thread([other] {
        ASSERT_EQ(laio_event_attach(other), 0);
        waiting_read read;
        read.begin_and_add(other);
        read.put();
        ASSERT_EQ(event_base_dispatch(other), 1);
        event_base_free(other);
        EXPECT_EQ(laio_event_detach(other), 0); // the pointer is compared, not followed
    }).join();
}

TEST_P(libevent_base, child_of_a_fork_detaches_and_attaches_anew) {
    waiting_read read;
    read.begin_and_add(base);
    expect_in_child([&] {
        waiting_read again;
        ASSERT_EQ(event_reinit(base), 0);
        ASSERT_EQ(laio_event_detach(base), 0);
        ASSERT_EQ(laio_event_attach(base), 0);
        again.begin_and_add(base);
        again.put();
        run();
        EXPECT_TRUE(again.was_called_once(1, 0));
        EXPECT_EQ(read.calls, 0);
    });
    read.put();
    run();
    EXPECT_TRUE(read.was_called_once(1, 0));
}

TEST(libevent_misuse, attach_and_detach_refuse_no_base) {
    EXPECT_EQ(error_of(laio_event_attach, nullptr), EINVAL);
    EXPECT_EQ(error_of(laio_event_detach, nullptr), EINVAL);
    EXPECT_EQ(error_of(laio_event_del, nullptr), EINVAL);
    EXPECT_EQ(laio_event_pending(nullptr), 0);
}

TEST(libevent_misuse, a_base_run_by_another_thread_is_a_loud_error) {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_DEATH(
        {
            event_base *base = event_base_new();
            waiting_read read;
            if (laio_event_attach(base) == 0) {
                read.begin_and_add(base);
                read.put();
                std::thread([base] { event_base_dispatch(base); }).join();
            }
        },
        "a base is run by a thread that did not attach it");
}

} // namespace
} // namespace laio::test
