// A timeout cancels the call, and one of the two is delivered: the time that is over, or the result that won (U3, U4).
#include "fixture.hpp"

#include <array>
#include <vector>

namespace laio::test {
namespace {

TEST_P(libevent_base, timeout_cancels_the_call_and_is_delivered_once) {
    waiting_read read;
    read.begin_and_add(base, &a_moment);
    run();
    EXPECT_TRUE(read.was_called_once(-1, ETIMEDOUT));
    EXPECT_EQ(laio_outstanding(), 0);
    read.put('l');
    EXPECT_EQ(read_all(read.pipe.reader.get(), 1), "l") << "a call that has timed out takes nothing any more";
}

TEST_P(libevent_base, completion_before_the_timeout_stops_it) {
    waiting_read read;
    read.begin_and_add(base, &an_hour);
    put_soon(read);
    run(); // an hour, if the timer were left
    EXPECT_TRUE(read.was_called_once(1, 0));
}

TEST_P(libevent_base, timeout_and_completion_in_one_turn_deliver_one_of_them) {
    for (int round = 0; round < 50; ++round) {
        waiting_read read;
        read.begin_and_add(base, &at_once);
        read.put();
        run();
        if (read.return_value == 1) {
            ASSERT_TRUE(read.was_called_once(1, 0));
            ASSERT_EQ(read.byte, '!');
        } else {
            ASSERT_TRUE(read.was_called_once(-1, ETIMEDOUT));
        }
        ASSERT_EQ(laio_outstanding(), 0);
    }
}

// All bytes that went out, or, if none had yet, a timeout; never both.
TEST_P(libevent_base, timeout_of_a_write_delivers_the_bytes_that_went_out) {
    descriptor_pair sockets = make_unix_pair();
    const std::vector<char> data(4U << 20U, 'w');
    background_call write;
    write.begin(base, SYS_write, static_cast<long>(sockets.near.get()), data.data(), data.size());
    write.add(&a_moment);
    run();
    sockets.near.reset();
    const auto received = static_cast<long>(read_all(sockets.far.get(), data.size()).size());
    EXPECT_LT(received, static_cast<long>(data.size()));
    EXPECT_TRUE(received > 0 ? write.was_called_once(received, 0) : write.was_called_once(-1, ETIMEDOUT));
}

TEST_P(libevent_base, adding_again_sets_the_timeout_anew) {
    waiting_read read;
    read.begin_and_add(base, &an_hour);
    read.add();
    read.add(&at_once);
    run();
    EXPECT_TRUE(read.was_called_once(-1, ETIMEDOUT));
}

} // namespace
} // namespace laio::test
