// What holds for attempts of every form: nothing is attempted that was forbidden, what the application asked not to wait
// for does not, and bad descriptors and pointers give the error of the plain call, whoever makes it in the end.
#include "calls/attempt.hpp"

#include "unit/calls/files.hpp"
#include "unit/calls/trial.hpp"

#include <cstring>
#include <set>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <vector>

namespace {

using namespace laio::test; // NOLINT(google-build-using-namespace)
using laio::blocked;
using laio::done;
using laio::form;
using laio::row;
using laio::surroundings;
using laio::until;

// ---- Whoever asked not to wait ---------------------------------------------------------------------------------------------

class never_waiting : public testing::Test {
protected:
    surroundings world = make_world();
    const ends waiting = make_sockets();
    const ends nonblocking = make_sockets();

    void SetUp() override {
        set_nonblocking(nonblocking.out);
        set_nonblocking(nonblocking.in);
    }
    template <class... arguments> bool never_waits(long number, const arguments &...values) {
        return laio::never_waits(trial{world, number, values...}.op(), world);
    }
};

TEST_F(never_waiting, are_calls_on_a_nonblocking_descriptor) {
    for (const long number : {SYS_read, SYS_readv, SYS_write, SYS_writev, SYS_recvfrom, SYS_recvmsg, SYS_recvmmsg,
                              SYS_sendto, SYS_sendmsg, SYS_sendmmsg, SYS_accept, SYS_accept4, SYS_connect}) {
        SCOPED_TRACE(laio::find_row(number)->name);
        EXPECT_TRUE(never_waits(number, nonblocking.out));
        EXPECT_FALSE(never_waits(number, waiting.out));
        EXPECT_FALSE(never_waits(number, -1));
    }
}

TEST_F(never_waiting, are_messages_with_that_flag) {
    for (const long number : {SYS_recvfrom, SYS_sendto, SYS_recvmmsg, SYS_sendmmsg}) {
        SCOPED_TRACE(laio::find_row(number)->name);
        EXPECT_TRUE(never_waits(number, waiting.out, nullptr, 0, MSG_DONTWAIT, nullptr, 0));
        EXPECT_FALSE(never_waits(number, waiting.out, nullptr, MSG_DONTWAIT, 0, nullptr, 0));
    }
    for (const long number : {SYS_recvmsg, SYS_sendmsg}) {
        SCOPED_TRACE(laio::find_row(number)->name);
        EXPECT_TRUE(never_waits(number, waiting.out, nullptr, MSG_DONTWAIT));
        EXPECT_FALSE(never_waits(number, waiting.out, nullptr, 0));
    }
    EXPECT_FALSE(never_waits(SYS_read, waiting.out, nullptr, 0, MSG_DONTWAIT)) << "which has no flags";
}

TEST_F(never_waiting, are_not_calls_that_cannot_be_attempted) {
    EXPECT_FALSE(never_waits(SYS_splice, nonblocking.out, nullptr, nonblocking.in));
    EXPECT_FALSE(never_waits(SYS_fsync, nonblocking.out));
}

// ---- Attempts forbidden ------------------------------------------------------------------------------------------------------

class forbidden_attempts : public never_waiting {
protected:
    forbidden_attempts() { world = make_world(LAIO_FORBID_ATTEMPTS); }
    char buffer[64]{};
};

TEST_F(forbidden_attempts, leave_everything_to_carriers_untouched) {
    put(waiting.in, "hello");
    const directory here;
    const descriptor file = here.file("a", "content");
    EXPECT_EQ(attempt_of(world, SYS_read, waiting.out, buffer, 5), blocked(until::carrier));
    EXPECT_EQ(attempt_of(world, SYS_recvfrom, waiting.out, buffer, 5, 0, nullptr, nullptr), blocked(until::carrier));
    EXPECT_EQ(attempt_of(world, SYS_write, waiting.in, "x", 1), blocked(until::carrier));
    EXPECT_EQ(attempt_of(world, SYS_sendto, waiting.in, "x", 1, 0, nullptr, 0), blocked(until::carrier));
    EXPECT_EQ(attempt_of(world, SYS_openat, AT_FDCWD, "/", O_RDONLY, 0), blocked(until::carrier));
    EXPECT_EQ(attempt_of(world, SYS_fstat, file, buffer), blocked(until::carrier));
    EXPECT_EQ(attempt_of(world, SYS_close, file), blocked(until::carrier));
    EXPECT_EQ(get(waiting.out, 5), "hello");
    EXPECT_FALSE(has_something(waiting.out));
    EXPECT_NE(fcntl(file, F_GETFD), -1);
}

TEST_F(forbidden_attempts, do_not_change_that_a_nonblocking_descriptor_does_not_wait) {
    EXPECT_EQ(attempt_of(world, SYS_read, nonblocking.out, buffer, 5), done(-EAGAIN));
    EXPECT_EQ(attempt_of(world, SYS_recvfrom, waiting.out, buffer, 5, MSG_DONTWAIT, nullptr, nullptr), done(-EAGAIN));
    put(nonblocking.in, "hello");
    EXPECT_EQ(attempt_of(world, SYS_read, nonblocking.out, buffer, 64), done(5));
}

TEST_F(forbidden_attempts, do_not_make_a_file_with_o_nonblock_one_that_never_waits) {
    const directory here;
    const descriptor file = here.file("a", "content");
    set_nonblocking(file);
    EXPECT_EQ(attempt_of(world, SYS_read, file, buffer, 5), blocked(until::carrier));
    EXPECT_EQ(attempt_of(world, SYS_write, file, "x", 1), blocked(until::carrier));
}

TEST_F(forbidden_attempts, do_not_hide_a_wrong_time_from_a_carrier_s_caller) {
    pollfd item{waiting.out, POLLIN, 0};
    const timespec wrong{-1, 0};
    EXPECT_EQ(attempt_of(world, SYS_ppoll, &item, 1, &wrong, nullptr, 8), done(-EINVAL));
    const timespec none{};
    EXPECT_EQ(attempt_of(world, SYS_ppoll, &item, 1, &none, nullptr, 8), blocked(until::carrier));
}

TEST(calls_without_a_form, are_a_carrier_s) {
    surroundings world = make_world();
    EXPECT_EQ(attempt_of(world, SYS_fsync, -1), blocked(until::carrier));
    EXPECT_EQ(attempt_of(world, SYS_splice, -1, nullptr, -1, nullptr, 0, 0), blocked(until::carrier));
}

// ---- Every form ----------------------------------------------------------------------------------------------------------------

// Calls with a descriptor that does not exist, which no plain call waits for. Whatever the attempt says, it must not make
// a success of it, wait for readiness that never comes, or give another error than the plain call.
TEST(every_form, finds_a_closed_descriptor) {
    std::set<form> seen;
    for (const std::uint32_t forbidden :
         {0U, LAIO_FORBID_NOWAIT, LAIO_FORBID_NOWAIT | LAIO_FORBID_CACHED | LAIO_FORBID_PIDFD, LAIO_FORBID_ATTEMPTS}) {
        surroundings world = make_world(forbidden);
        for (long number = 0; number < static_cast<long>(laio::table_size()); ++number) {
            const row *what = laio::find_row(number);
            if (what == nullptr || what->way != laio::route::attempt || what->descriptor_argument() < 0) continue;
            seen.insert(what->attempt);
            alignas(16) char memory[2][512]{};
            std::memset(memory[0], 0, sizeof memory[0]);
            const iovec vector{memory[1], 8};
            msghdr header{};
            header.msg_iov = const_cast<iovec *>(&vector);
            header.msg_iovlen = 1;
            long arguments[6]{};
            for (int i = 0; what->arguments[i] != '\0'; ++i) {
                switch (what->arguments[i]) {
                case 'f': arguments[i] = 1'000'000; break;
                case 'i':
                case 'o':
                case 'b': arguments[i] = as_word(memory[0]); break;
                case 'v': arguments[i] = as_word(&vector); break;
                case 'm': arguments[i] = as_word(&header); break;
                case '-': arguments[i] = 1; break;
                default: break; // no time, no path
                }
            }
            if (number == SYS_fcntl) arguments[1] = F_OFD_SETLKW;
            if (number == SYS_epoll_pwait || number == SYS_epoll_pwait2) arguments[5] = 8; // the mask's length
            const auto &a = arguments;
            SCOPED_TRACE(what->name);
            const long expected = plain(number, a[0], a[1], a[2], a[3], a[4], a[5]);
            EXPECT_EQ(trial(world, number, a[0], a[1], a[2], a[3], a[4], a[5]).finish(), expected);
        }
    }
    for (const form one :
         {form::read, form::write, form::receive, form::send, form::receive_many, form::send_many, form::accept,
          form::connect, form::status, form::close, form::lock, form::control, form::events, form::pipe_copy})
        EXPECT_TRUE(seen.contains(one)) << laio::name_of(one);
}

// A number that was closed and means another file now.
TEST(every_form, is_right_when_a_number_comes_to_mean_another_file) {
    surroundings world = make_world();
    char buffer[64]{};
    const auto place = [](ends file, int out, int in) {
        must(dup3(file.out, out, O_CLOEXEC), "dup3");
        must(dup3(file.in, in, O_CLOEXEC), "dup3");
    };
    const int out = must(fcntl(0, F_DUPFD_CLOEXEC, 300), "dup");
    const int in = must(fcntl(0, F_DUPFD_CLOEXEC, 301), "dup");
    for (int round = 0; round < 2; ++round) {
        for (const kind &before : pipes_and_sockets) {
            for (const kind &after : pipes_and_sockets) {
                SCOPED_TRACE(std::string{before.name} + ", then " + after.name);
                place(before.make(), out, in);
                EXPECT_EQ(attempt_of(world, SYS_write, in, "hello", 5), done(5));
                EXPECT_EQ(attempt_of(world, SYS_read, out, buffer, 64), done(5));
                place(after.make(), out, in);
                EXPECT_EQ(attempt_of(world, SYS_read, out, buffer, 64), blocked(until::readable));
                EXPECT_EQ(attempt_of(world, SYS_write, in, "there", 5), done(5));
                EXPECT_EQ(attempt_of(world, SYS_read, out, buffer, 64), done(5));
            }
        }
    }
    close(out);
    close(in);
}

} // namespace
