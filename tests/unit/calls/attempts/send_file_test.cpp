// Steps of sendfile and splice to sockets, and when they ask for the bytes of their file.
#include "calls/attempt.hpp"

#include "calls/files.hpp"
#include "calls/trial.hpp"

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace {

using laio::blocked;
using laio::done;
using laio::may_look;
using laio::outcome;
using laio::surroundings;
using laio::until;
using laio::test::make_world;
using laio::test::trial;

class a_step : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, full), 0);
        const std::string bytes(65536, 'x');
        while (send(full[0], bytes.data(), bytes.size(), MSG_DONTWAIT) > 0) {}
        file = make_file();
    }
    void TearDown() override {
        for (const int each : {ends[0], ends[1], full[0], full[1], file}) close(each);
    }
    static int make_file() {
        std::string name = "send_file_test.XXXXXX";
        const int made = mkstemp(name.data());
        unlink(name.c_str());
        EXPECT_EQ(write(made, std::string(8192, 'y').data(), 8192), 8192);
        return made;
    }
    // Files are dated by the kernel's coarse clock.
    static void wait_for_next_tick() {
        const auto now = [] {
            timespec time{};
            clock_gettime(CLOCK_REALTIME_COARSE, &time);
            return std::pair{time.tv_sec, time.tv_nsec};
        };
        for (const auto before = now(); now() == before;) {}
    }
    static outcome attempt_looking(trial &one) {
        one.op().looks = true;
        return one.attempt();
    }

    surroundings world = make_world();
    int ends[2]{-1, -1};
    int full[2]{-1, -1};
    int file = -1;
    long offset = 0;
};

constexpr outcome by_carrier = blocked(until::carrier);

TEST_F(a_step, asks_only_when_it_is_told_to) {
    trial one{world, SYS_sendfile, ends[0], file, &offset, 8192};
    EXPECT_EQ(one.attempt(), by_carrier);
    EXPECT_FALSE(one.op().looked);
    EXPECT_TRUE(may_look(one.op()));
    trial other{world, SYS_sendfile, ends[0], file, &offset, 8192};
    EXPECT_EQ(attempt_looking(other), by_carrier);
    EXPECT_TRUE(other.op().looked);
    EXPECT_FALSE(other.op().absent) << "it was just written";
}

TEST_F(a_step, that_has_no_offset_or_no_socket_has_nothing_to_ask) {
    trial own{world, SYS_sendfile, ends[0], file, nullptr, 8192};
    EXPECT_EQ(attempt_looking(own), by_carrier);
    EXPECT_FALSE(own.op().looked);
    EXPECT_FALSE(may_look(own.op())) << "one that is left behind says nothing of those that can be asked";
    const int to = make_file();
    trial copy{world, SYS_sendfile, to, file, &offset, 8192};
    EXPECT_EQ(attempt_looking(copy), by_carrier);
    EXPECT_FALSE(copy.op().looked);
    EXPECT_FALSE(may_look(copy.op()));
    close(to);
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    ASSERT_EQ(write(pipe_ends[1], "x", 1), 1);
    trial splice{world, SYS_splice, pipe_ends[0], nullptr, ends[0], nullptr, 1, 0};
    EXPECT_EQ(attempt_looking(splice), by_carrier);
    EXPECT_FALSE(splice.op().looked);
    EXPECT_FALSE(may_look(splice.op()));
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

TEST_F(a_step, takes_an_offset_at_any_address_and_of_any_size) {
    alignas(8) char memory[24]{};
    for (const long at : {0L, 100L, 8191L, 8192L, LONG_MAX - 10, LONG_MAX, -1L, LONG_MIN}) {
        std::memcpy(memory + 3, &at, sizeof at);
        trial one{world, SYS_sendfile, ends[0], file, static_cast<char *>(memory + 3), LONG_MAX};
        EXPECT_EQ(attempt_looking(one), by_carrier) << at;
        EXPECT_FALSE(one.op().absent) << at;
    }
    trial bad{world, SYS_sendfile, ends[0], file, 16L, 8192};
    EXPECT_EQ(attempt_looking(bad), by_carrier);
    EXPECT_FALSE(bad.op().looked);
}

TEST_F(a_step, asks_again_after_the_one_before) {
    trial one{world, SYS_sendfile, ends[0], file, &offset, 8192};
    EXPECT_EQ(attempt_looking(one), by_carrier);
    one.op().looked = false;
    offset = 4096;
    EXPECT_EQ(laio::account(one.op(), world, 4096), by_carrier);
    EXPECT_TRUE(one.op().looked);
}

// Also where it is not asked for its bytes.
TEST_F(a_step, of_another_file_than_the_call_was_made_for_is_not_made) {
    trial one{world, SYS_sendfile, ends[0], file, &offset, 8192};
    note_source(one.op());
    EXPECT_EQ(one.attempt(), by_carrier);
    const int other = make_file();
    ASSERT_EQ(dup2(other, file), file);
    close(other);
    EXPECT_EQ(one.attempt(), done(-EBADF));
}

// The numbers of inodes are used again at once.
TEST_F(a_step, of_a_file_made_in_place_of_the_one_before_is_not_made) {
    trial one{world, SYS_sendfile, ends[0], file, &offset, 8192};
    note_source(one.op());
    close(file); // the last that held it
    wait_for_next_tick();
    const int other = make_file();
    if (other != file) {
        ASSERT_EQ(dup2(other, file), file);
        close(other);
    }
    EXPECT_TRUE(is_source_gone(one.op()));
}

TEST_F(a_step, of_a_number_that_was_closed_when_the_call_was_made_reads_nothing_opened_since) {
    const int closed = make_file();
    close(closed);
    trial one{world, SYS_sendfile, ends[0], closed, &offset, 8192};
    note_source(one.op());
    EXPECT_FALSE(is_source_gone(one.op())) << "the kernel says so itself";
    ASSERT_EQ(dup2(file, closed), closed);
    EXPECT_TRUE(is_source_gone(one.op()));
    close(closed);
}

TEST_F(a_step, of_another_file_than_the_one_before_is_not_made) {
    trial one{world, SYS_sendfile, ends[0], file, &offset, 8192};
    EXPECT_EQ(attempt_looking(one), by_carrier);
    EXPECT_FALSE(is_source_gone(one.op()));
    const int other = make_file();
    ASSERT_EQ(dup2(other, file), file);
    close(other);
    EXPECT_TRUE(is_source_gone(one.op()));
    EXPECT_EQ(attempt_looking(one), done(-EBADF));
    trial moved{world, SYS_sendfile, ends[0], file, &offset, 8192};
    EXPECT_EQ(attempt_looking(moved), by_carrier);
    moved.op().source.inode ^= 1;
    EXPECT_EQ(laio::account(moved.op(), world, 4096), done(4096)) << "what went before counts";
}

TEST_F(a_step, asks_the_socket_that_it_holds_for_its_room) {
    trial one{world, SYS_sendfile, ends[0], file, &offset, 8192};
    one.op().own_descriptor = dup(full[0]);
    EXPECT_EQ(one.attempt(), blocked(until::writable));
}

} // namespace
