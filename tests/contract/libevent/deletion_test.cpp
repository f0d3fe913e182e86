// Events that are taken back: deleted, which is never heard of again (U7), or finalized, which tells when the call has
// let go of its memory (U8).
#include "fixture.hpp"

#include <memory>

namespace laio::test {
namespace {

TEST_P(libevent_base, deleted_event_is_never_called_though_its_call_completes) {
    const pipe_ends pipe = make_pipe();
    static char byte; // deleting leaves the memory with the call
    auto deleted = std::make_unique<background_call>();
    deleted->begin(base, SYS_read, static_cast<long>(pipe.reader.get()), &byte, 1L);
    deleted->add();
    write_all(pipe.writer.get(), "!");
    EXPECT_EQ(laio_event_del(&deleted->event), 0);
    EXPECT_EQ(laio_event_del(&deleted->event), 0) << "deleting what is not added does nothing";
    EXPECT_FALSE(deleted->is_pending());
    EXPECT_EQ(deleted->calls, 0);
    deleted.reset(); // a late call would be a use after free

    waiting_read read;
    read.begin_and_add(base);
    put_soon(read);
    run();
    EXPECT_EQ(read.calls, 1);
}

TEST_P(libevent_base, finalize_calls_the_other_function_when_the_call_is_complete) {
    static bool freed;
    freed = false;
    auto *read = new waiting_read;
    read->begin_and_add(base, &an_hour);
    auto release = [](void *arg, long return_value, int error) {
        auto *self = static_cast<waiting_read *>(static_cast<background_call *>(arg)); // as in laio_event_assign()
        EXPECT_EQ(return_value, -1);
        EXPECT_EQ(error, ECANCELED);
        EXPECT_EQ(self->calls, 0);
        freed = true;
        delete self;
    };
    soon([&] {
        EXPECT_EQ(laio_event_finalize(&read->event, release), 0);
        EXPECT_FALSE(freed) << "never from within laio_event_finalize()";
        EXPECT_TRUE(read->is_pending());
        EXPECT_EQ(error_of(laio_event_add, &read->event, nullptr), EBUSY);
    });
    run();
    EXPECT_TRUE(freed);
    EXPECT_EQ(laio_outstanding(), 0);
}

TEST_P(libevent_base, finalize_hands_over_a_result_that_won) {
    static long result;
    result = 0;
    waiting_read read;
    read.begin_and_add(base);
    read.put();
    auto keep = [](void *, long return_value, int error) { result = return_value == 1 ? 1 : error; };
    ASSERT_EQ(laio_event_finalize(&read.event, keep), 0);
    run();
    EXPECT_EQ(read.calls, 0);
    if (result == 1) {
        EXPECT_EQ(read.byte, '!');
    } else {
        EXPECT_EQ(result, ECANCELED);
        EXPECT_EQ(read_all(read.pipe.reader.get(), 1), "!") << "cancelled, so the byte is still there";
    }
}

TEST_P(libevent_base, finalize_of_an_event_that_is_not_added_says_so) {
    waiting_read read;
    read.begin(base);
    EXPECT_EQ(error_of(laio_event_finalize, &read.event, background_call::complete), ENOENT);
}

TEST_P(libevent_base, finalize_is_answered_even_if_the_completion_was_fetched_behind_the_adapter) {
    waiting_read read;
    read.begin_and_add(base);
    read.put();
    EXPECT_EQ(fetch().laio_data, &read.event);
    ASSERT_EQ(laio_event_finalize(&read.event, background_call::complete), 0);
    EXPECT_EQ(read.calls, 0);
    run();
    EXPECT_EQ(read.calls, 1);
    EXPECT_EQ(read.error, ECANCELED);
}

} // namespace
} // namespace laio::test
