// The loop (src/loop.cpp) where a wait loses its file and its time in one turn: its descriptor number means another file
// now, the old file has an event, and the socket's own time-out is over. Each alone ends the call; both must end it once.
//
// The time has to be over between the look for events and the look for deadlines. So many rounds come to the deadline as
// closely as a seed says, and a large message that is received in between makes the moment longer.
#include <laio/laio.h>

#include "engines/by_hand.hpp"
#include "kernel/child.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <sys/time.h>

namespace {

using namespace laio::test;
using laio::now_ns;

constexpr long receive = SYS_recvfrom;

struct numbers {
    int file_first = 0; // ended because the number means another file
    int time_first = 0;
};

bool is_begun(long r) { return r == -1 && errno == EINPROGRESS; }

// 0, or where it went wrong.
long lose_both(std::int64_t early_ns, std::vector<char> &room, numbers &seen) {
    const ends old = make_sockets();
    const ends other = make_sockets();
    const ends heavy = make_sockets();
    timeval timeout{0, 1000};
    socklen_t length = sizeof timeout;
    if (setsockopt(old.reader.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, length) != 0) return 1;
    if (getsockopt(old.reader.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, &length) != 0) return 2; // rounded up
    char byte = 0;
    if (!is_begun(laio_syscall(receive, heavy.reader.get(), room.data(), room.size(), 0, nullptr, nullptr))) return 3;
    const laio_handle_t heavy_handle = laio_gethandle();
    if (!is_begun(laio_syscall(receive, old.reader.get(), &byte, 1, 0, nullptr, nullptr))) return 4;
    const laio_handle_t handle = laio_gethandle();
    const std::int64_t over_ns = now_ns() + timeout.tv_sec * second_ns + timeout.tv_usec * 1000;
    const descriptor lives_on(fcntl(old.reader.get(), F_DUPFD_CLOEXEC, 0));
    if (dup3(other.reader.get(), old.reader.get(), O_CLOEXEC) < 0) return 5;
    fill_up(heavy.writer);
    put(old.writer, "x");
    if (!comes_true([&] { return now_ns() > over_ns - early_ns; })) return 6;
    laio_completion completions[4]{};
    const timespec limit{hang_s, 0};
    for (int left = 2; left > 0;) {
        const int count = laio_poll(completions, 4, &limit);
        if (count < 1 || count > left) return 7;
        left -= count;
        for (int i = 0; i < count; ++i) {
            if (completions[i].laio_handle == heavy_handle) continue;
            if (completions[i].laio_handle != handle || completions[i].laio_return_value != -1) return 8;
            if (completions[i].laio_errno == EBADF) ++seen.file_first;
            else if (completions[i].laio_errno == EAGAIN) ++seen.time_first;
            else return 9;
        }
    }
    const timespec at_once{0, 0};
    return laio_outstanding() == 0 && laio_poll(completions, 4, &at_once) == 0 ? 0 : 10;
}

long lose_both_again_and_again(unsigned from) {
    std::mt19937 random(from);
    std::vector<char> room(1 << 20);
    laio_options options{};
    options.size = sizeof options;
    options.forbid = LAIO_FORBID_RING;
    if (laio_init(&options) != 0) return -1;
    numbers seen;
    for (int round = 0; round < (sanitized ? 100 : 300); ++round)
        if (const long r = lose_both(static_cast<std::int64_t>(random() % 150'000), room, seen); r != 0) return r;
    std::printf("the file was lost first %d times, the time %d times\n", seen.file_first, seen.time_first);
    std::fflush(stdout);
    return laio_fini();
}

TEST(wait_that_loses_its_file_and_its_time, ends_once) {
    const unsigned from = seed();
    const auto end = in_child([=] { return lose_both_again_and_again(from); });
    EXPECT_TRUE(end.returned) << end;
    EXPECT_EQ(end.value, 0) << end;
}

} // namespace
