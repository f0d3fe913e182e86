// The second, non-blocking way into a pipe: the same pipe, another file.
#include "calls/attempts/nonblocking_twin.hpp"

#include "unit/calls/files.hpp"

#include <climits>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace {

using namespace laio::test; // NOLINT(google-build-using-namespace)
using laio::open_nonblocking_twin;

TEST(a_twin, reads_and_writes_the_same_pipe) {
    const ends pipe = make_pipe();
    const descriptor reader{static_cast<int>(open_nonblocking_twin(pipe.out, O_RDONLY))};
    const descriptor writer{static_cast<int>(open_nonblocking_twin(pipe.in, O_WRONLY))};
    ASSERT_GE(reader, 0);
    ASSERT_GE(writer, 0);
    put(writer, "there");
    EXPECT_EQ(get(pipe.out, 5), "there");
    put(pipe.in, "back");
    EXPECT_EQ(get(reader, 4), "back");
}

TEST(a_twin, does_not_wait_and_does_not_keep_the_first_from_waiting) {
    const ends pipe = make_pipe();
    const descriptor reader{static_cast<int>(open_nonblocking_twin(pipe.out, O_RDONLY))};
    char byte = 0;
    EXPECT_EQ(read(reader, &byte, 1), -1);
    EXPECT_EQ(errno, EAGAIN);
    EXPECT_EQ(fcntl(pipe.out, F_GETFL) & O_NONBLOCK, 0);
    EXPECT_EQ(fcntl(reader, F_GETFD), FD_CLOEXEC);
}

TEST(a_twin, opens_no_way_that_the_first_does_not_have) {
    const ends pipe = make_pipe();
    EXPECT_EQ(open_nonblocking_twin(pipe.in, O_RDONLY), -EBADF);
    EXPECT_EQ(open_nonblocking_twin(pipe.out, O_WRONLY), -EBADF);
    for (const int number : {-1, INT_MAX, INT_MIN}) EXPECT_EQ(open_nonblocking_twin(number, O_RDONLY), -EBADF);
    const descriptor named{open("/", O_PATH | O_CLOEXEC)};
    const descriptor none{static_cast<int>(open_nonblocking_twin(named, O_WRONLY))};
    EXPECT_LT(none, 0);
}

TEST(a_twin, of_a_named_pipe_open_for_both_goes_both_ways) {
    const directory here;
    must(mkfifo(here.path("fifo").c_str(), 0600), "mkfifo");
    const descriptor both{open(here.path("fifo").c_str(), O_RDWR | O_CLOEXEC)};
    const descriptor reader{static_cast<int>(open_nonblocking_twin(both, O_RDONLY))};
    const descriptor writer{static_cast<int>(open_nonblocking_twin(both, O_WRONLY))};
    put(writer, "hello");
    EXPECT_EQ(get(reader, 5), "hello");
}

TEST(a_twin, of_a_socket_there_is_none) {
    const ends sockets = make_sockets();
    EXPECT_LT(open_nonblocking_twin(sockets.out, O_RDONLY), 0);
}

} // namespace
