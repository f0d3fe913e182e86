// Closing a descriptor that calls wait on. Through the library: each ends with ECANCELED (laio_syscall(3), "close"). Behind
// its back: never a hang past laio_cancel(), never another file's data, also when the number is used again, also when the
// file lives on by dup(2) (laio(7), "Closing").
#include "harness.hpp"

#include <fcntl.h>
#include <poll.h>
#include <random>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace laio::test {
namespace {

class closing : public contract_test {};

constexpr outcome cancelled{-1, ECANCELED};

// Ends a call that its descriptor was closed under: a cancel has to do it, if nothing else does.
outcome cancel_and_finish(call_record *call) {
    if (!call->complete) { EXPECT_EQ(laio_cancel(call->handle), 0); }
    return finish(call);
}

// The same of one that cannot have had anything.
void expect_ended(call_record *call) {
    const outcome result = cancel_and_finish(call);
    EXPECT_TRUE(result == cancelled || result == (outcome{-1, EBADF})) << result;
}

bool is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

TEST_P(closing, through_the_library_ends_waiting_reads) {
    pipe_ends ends = make_pipe();
    std::array<char, 3> bytes{};
    const auto calls = begin_reads(ends.reader.get(), bytes);
    const int number = ends.reader.release();
    EXPECT_EQ(done(SYS_close, number), (outcome{0, 0}));
    EXPECT_FALSE(is_open(number));
    finish_all();
    for (const call_record *call : calls) EXPECT_EQ(call->result, cancelled);
    EXPECT_EQ(done(SYS_write, ends.writer.get(), "x", 1), (outcome{-1, EPIPE})); // nothing else keeps it open
}

TEST_P(closing, through_the_library_ends_both_directions) {
    descriptor_pair pair = make_unix_pair();
    fill(pair.near.get());
    char byte = 0;
    const std::vector<call_record *> calls{begin(SYS_read, pair.near.get(), &byte, 1),
                                           begin(SYS_write, pair.near.get(), "x", 1),
                                           begin(SYS_recvfrom, pair.near.get(), &byte, 1, 0, nullptr, nullptr)};
    EXPECT_EQ(done(SYS_close, pair.near.release()), (outcome{0, 0}));
    finish_all();
    for (const call_record *call : calls) EXPECT_EQ(call->result, cancelled);
    pollfd item{pair.far.get(), POLLIN, 0};
    ASSERT_EQ(poll(&item, 1, -1), 1);
    EXPECT_NE(item.revents & POLLHUP, 0) << "the socket is still open";
}

TEST_P(closing, a_listener_and_a_terminal) {
    std::uint16_t port = 0;
    descriptor listener = listen_tcp(port);
    descriptor_pair terminal = make_pty();
    char byte = 0;
    const std::vector<call_record *> calls{begin(SYS_accept4, listener.get(), nullptr, nullptr, SOCK_CLOEXEC),
                                           begin(SYS_read, terminal.near.get(), &byte, 1)};
    EXPECT_EQ(done(SYS_close, listener.release()), (outcome{0, 0}));
    EXPECT_EQ(done(SYS_close, terminal.near.release()), (outcome{0, 0}));
    finish_all();
    for (const call_record *call : calls) EXPECT_EQ(call->result, cancelled);
}

// A write of which a part went out: the close says how much, as a cancel does.
TEST_P(closing, half_a_write_says_how_much) {
    pipe_ends ends = make_pipe();
    const std::string sent = pattern(1000000);
    call_record *call = begin(SYS_write, ends.writer.get(), sent.data(), sent.size());
    EXPECT_EQ(done(SYS_close, ends.writer.release()), (outcome{0, 0}));
    const outcome result = finish(call);
    const std::string seen = read_all(ends.reader.get(), sent.size());
    EXPECT_EQ(result, seen.empty() ? cancelled : (outcome{static_cast<long>(seen.size()), 0}));
    EXPECT_TRUE(seen == sent.substr(0, seen.size()));
}

TEST_P(closing, of_other_descriptors_ends_nothing) {
    const pipe_ends ends = make_pipe();
    char byte = 0;
    call_record *call = begin(SYS_read, ends.reader.get(), &byte, 1);
    EXPECT_EQ(done(SYS_close, dup(ends.reader.get())), (outcome{0, 0}));
    EXPECT_EQ(done(SYS_close, -1), (outcome{-1, EBADF}));
    EXPECT_EQ(done(SYS_close, 12345), (outcome{-1, EBADF}));
    EXPECT_FALSE(call->complete);
    write_all(ends.writer.get(), "x");
    EXPECT_EQ(finish(call), (outcome{1, 0}));
}

TEST_P(closing, number_is_usable_at_once_after_a_close_through_the_library) {
    for (int turn = 0; turn < 50; ++turn) {
        pipe_ends old = make_pipe();
        char byte = 0;
        call_record *call = begin(SYS_read, old.reader.get(), &byte, 1);
        const int number = old.reader.release();
        EXPECT_EQ(done(SYS_close, number), (outcome{0, 0}));
        pipe_ends fresh = make_pipe();
        ASSERT_EQ(dup2(fresh.reader.get(), number), number);
        const descriptor again{number};
        char other = 0;
        call_record *later = begin(SYS_read, number, &other, 1);
        write_all(fresh.writer.get(), "n");
        EXPECT_EQ(finish(later), (outcome{1, 0}));
        EXPECT_EQ(other, 'n');
        EXPECT_EQ(finish(call), cancelled);
        EXPECT_EQ(byte, 0);
    }
}

TEST_P(closing, behind_the_back_and_cancelled) {
    pipe_ends ends = make_pipe();
    descriptor_pair pair = make_unix_pair();
    fill(pair.near.get());
    char byte = 0;
    const std::vector<call_record *> calls{begin(SYS_read, ends.reader.get(), &byte, 1),
                                           begin(SYS_read, pair.near.get(), &byte, 1),
                                           begin(SYS_write, pair.near.get(), "x", 1)};
    ends.reader.reset();
    pair.near.reset();
    collect(0);
    for (call_record *call : calls) expect_ended(call);
}

// Behind the library's back, unless that promises to be told.
long replace(int number, int by) {
    return chosen_engine_set().tells_closes() ? done(SYS_dup2, by, number).value : dup2(by, number);
}

// The number goes to another pipe while a call waits: the call must not take what is in that one.
TEST_P(closing, number_goes_to_another_pipe) {
    pipe_ends old = make_pipe();
    pipe_ends other = make_pipe();
    char byte = 0;
    call_record *call = begin(SYS_read, old.reader.get(), &byte, 1);
    const int number = old.reader.release();
    if (!set().tells_closes()) { ASSERT_EQ(close(number), 0); }
    ASSERT_EQ(replace(number, other.reader.get()), number);
    const descriptor again{number};
    write_all(other.writer.get(), "other");
    collect(0);
    collect(5);
    expect_ended(call);
    EXPECT_EQ(byte, 0);
    EXPECT_EQ(read_all(number, 5), "other");
    // And the number works for calls of its new owner.
    call = begin(SYS_read, number, &byte, 1);
    write_all(other.writer.get(), "n");
    EXPECT_EQ(finish(call), (outcome{1, 0}));
    EXPECT_EQ(byte, 'n');
}

// The same, and the new owner's call is made while the old one still waits.
TEST_P(closing, new_owner_of_a_number_is_served) {
    pipe_ends old = make_pipe();
    const descriptor kept{dup(old.reader.get())};
    pipe_ends other = make_pipe();
    char byte = 0;
    char new_byte = 0;
    call_record *call = begin(SYS_read, old.reader.get(), &byte, 1);
    const int number = old.reader.release();
    ASSERT_EQ(replace(number, other.reader.get()), number); // closes the old one
    const descriptor again{number};
    call_record *later = begin(SYS_read, number, &new_byte, 1);
    write_all(other.writer.get(), "n");
    collect(0);
    expect_ended(call);
    EXPECT_EQ(finish(later), (outcome{1, 0}));
    EXPECT_EQ(new_byte, 'n');
    EXPECT_EQ(byte, 0);
}

// The file lives on by a dup: its readiness is still reported for the old number.
TEST_P(closing, file_lives_on_by_a_dup) {
    for (const bool closed_by_library : {false, true}) {
        if (set().tells_closes() && !closed_by_library) continue;
        pipe_ends old = make_pipe();
        const descriptor kept{dup(old.reader.get())};
        pipe_ends other = make_pipe();
        char byte = 0;
        call_record *call = begin(SYS_read, old.reader.get(), &byte, 1);
        const int number = old.reader.release();
        EXPECT_EQ(closed_by_library ? done(SYS_close, number).value : close(number), 0);
        ASSERT_EQ(dup2(other.reader.get(), number), number);
        const descriptor again{number};
        write_all(other.writer.get(), "B");
        write_all(old.writer.get(), "A");
        collect(0);
        collect(5);
        const outcome result = cancel_and_finish(call);
        // A call that an engine has given to the kernel holds the old file, and may well have read from it.
        EXPECT_TRUE(result == cancelled || result == (outcome{-1, EBADF}) || (result == (outcome{1, 0}) && byte == 'A'))
            << result << " " << byte;
        EXPECT_EQ(read_all(number, 1), "B");
        if (result.value != 1) { EXPECT_EQ(read_all(kept.get(), 1), "A"); }
        // Nothing is left that fires for ever, or takes the next byte.
        call = begin(SYS_read, number, &byte, 1);
        write_all(old.writer.get(), "AA");
        EXPECT_EQ(collect(0), 0);
        write_all(other.writer.get(), "b");
        EXPECT_EQ(finish(call), (outcome{1, 0}));
        EXPECT_EQ(byte, 'b');
        EXPECT_EQ(read_all(kept.get(), 2), "AA");
    }
}

// A dup of the number is waited on too: each has its own calls, both on one file.
TEST_P(closing, calls_on_the_dup_go_on) {
    pipe_ends ends = make_pipe();
    const descriptor copy{dup(ends.reader.get())};
    char first = 0;
    char second = 0;
    call_record *ended = begin(SYS_read, ends.reader.get(), &first, 1);
    call_record *kept = begin(SYS_read, copy.get(), &second, 1);
    EXPECT_EQ(done(SYS_close, ends.reader.release()), (outcome{0, 0}));
    EXPECT_EQ(finish(ended), cancelled);
    write_all(ends.writer.get(), "x");
    EXPECT_EQ(finish(kept), (outcome{1, 0}));
    EXPECT_EQ(second, 'x');
}

TEST_P(closing, fini_after_a_close_behind_the_back) {
    pipe_ends ends = make_pipe();
    char byte = 0;
    begin(SYS_read, ends.reader.get(), &byte, 1);
    ends.reader.reset();
    EXPECT_EQ(laio_fini(), 0);
    EXPECT_EQ(laio_outstanding(), 0);
}

// dup2(2) onto a number that calls wait on closes what was there.
TEST_P(closing, by_dup2_through_the_library) {
    pipe_ends old = make_pipe();
    pipe_ends other = make_pipe();
    char byte = 0;
    call_record *call = begin(SYS_read, old.reader.get(), &byte, 1);
    const int number = old.reader.release();
    EXPECT_EQ(done(SYS_dup2, other.reader.get(), number), (outcome{number, 0}));
    const descriptor again{number};
    write_all(other.writer.get(), "x");
    collect(0);
    expect_ended(call);
    EXPECT_EQ(read_all(number, 1), "x");
}

// A close at a random moment while bytes arrive: each byte is delivered or still there, and nothing hangs.
TEST_P(closing, races_with_bytes) {
    std::mt19937_64 random{seed()};
    for (int turn = 0; turn < (sanitized ? 50 : 200); ++turn) {
        pipe_ends ends = make_pipe();
        const descriptor kept{dup(ends.reader.get())};
        std::array<char, 4> bytes{};
        const auto calls = begin_reads(ends.reader.get(), bytes);
        std::thread writer{[&] {
            for (char byte = '0'; byte < '4'; ++byte) write_all(ends.writer.get(), {&byte, 1});
        }};
        for (std::uint64_t polls = random() % 4; polls > 0; --polls) collect(0);
        EXPECT_EQ(done(SYS_close, ends.reader.release()), (outcome{0, 0}));
        finish_all();
        writer.join();
        std::string seen;
        for (std::size_t index = 0; index < bytes.size(); ++index) {
            const outcome expected = calls[index]->result.value == 1 ? outcome{1, 0} : cancelled;
            ASSERT_EQ(calls[index]->result, expected);
            if (expected.value == 1) seen += bytes[index];
        }
        seen += read_all(kept.get(), bytes.size() - seen.size());
        ASSERT_EQ(seen, "0123");
    }
}

LAIO_CONTRACT_SUITE(closing);

} // namespace
} // namespace laio::test
