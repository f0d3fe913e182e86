// Writes: what there is room for is taken in place, what there is none for waits and is carried on to the last byte, and
// every answer is the plain call's. A regular file is never written in place.
#include "unit/calls/files.hpp"
#include "unit/calls/trial.hpp"

#include <csignal>
#include <random>
#include <sys/stat.h>
#include <sys/uio.h>
#include <vector>

namespace {

using namespace laio::test; // NOLINT(google-build-using-namespace)
using laio::blocked;
using laio::done;
using laio::file_kind;
using laio::surroundings;
using laio::until;

const std::string eight{"\1\2\3\4\5\6\7\0", 8}; // an eventfd takes it too

volatile std::sig_atomic_t broken_pipes = 0;
void count_broken_pipe(int /*signal*/) { broken_pipes = broken_pipes + 1; }

class writing : public testing::TestWithParam<bool> {
protected:
    surroundings world = make_world_with_nowait(GetParam());
    const std::string content = pattern(1'000'000);

    void SetUp() override { std::signal(SIGPIPE, SIG_IGN); }
    void TearDown() override { std::signal(SIGPIPE, SIG_DFL); }
};
INSTANTIATE_TEST_SUITE_P(with_and_without_nowait, writing, testing::Bool(), name_of_world);

// Reads what comes in pieces and lets the write go on, until it is done: its result.
long drain(trial &writer, int from, std::string &arrived) {
    std::mt19937 random{1};
    std::string piece(100'000, '\0');
    for (;;) {
        const ssize_t r = must(read(from, piece.data(), 1 + random() % piece.size()), "read");
        arrived.append(piece, 0, static_cast<std::size_t>(r));
        const laio::outcome next = writer.attempt();
        if (next.waits_for == until::nothing) return next.result;
        EXPECT_EQ(next, blocked(until::writable));
        if (next.waits_for != until::writable) return never;
    }
}

// ---- Room, and none ------------------------------------------------------------------------------------------------------

TEST_P(writing, what_there_is_room_for_is_done_in_place) {
    for (const kind &one : pipes_and_sockets) {
        SCOPED_TRACE(one.name);
        const ends file = one.make();
        for (int i = 0; i < 3; ++i) { // the second time the loop knows what it is
            ASSERT_EQ(attempt_of(world, SYS_write, file.in, eight.data(), 8), done(8));
            EXPECT_EQ(get(file.out, 8), eight);
        }
    }
    const ends counter = make_eventfd();
    const std::uint64_t one = 1;
    EXPECT_EQ(attempt_of(world, SYS_write, counter.in, &one, sizeof one), done(8));
    EXPECT_TRUE(has_something(counter.out));
}

TEST_P(writing, to_a_terminal_arrives) {
    const ends terminal = make_terminal();
    EXPECT_EQ(trial(world, SYS_write, terminal.out, "hello", 5).finish(), 5);
    EXPECT_EQ(get(terminal.in, 5), "hello");
}

TEST_P(writing, what_there_is_no_room_for_waits) {
    for (const kind &one : pipes_and_sockets) {
        SCOPED_TRACE(one.name);
        const ends file = one.make();
        fill(file.in);
        const int flags = fcntl(file.in, F_GETFL);
        trial tried{world, SYS_write, file.in, "hello", 5};
        for (int i = 0; i < 3; ++i) EXPECT_EQ(tried.attempt(), blocked(until::writable));
        EXPECT_EQ(fcntl(file.in, F_GETFL), flags) << "the descriptor was changed";
        const descriptor all{fcntl(file.out, F_DUPFD_CLOEXEC, 0)};
        set_nonblocking(all);
        std::string last;
        std::string piece(100'000, '\0');
        for (ssize_t r = 0; (r = read(all, piece.data(), piece.size())) > 0;)
            last.assign(piece, 0, static_cast<std::size_t>(r));
        EXPECT_EQ(tried.go_on(), 5);
        EXPECT_EQ(read(all, piece.data(), piece.size()), 5);
        EXPECT_EQ(piece.substr(0, 5), "hello");
    }
}

TEST_P(writing, much_is_complete_with_the_last_byte) {
    for (const kind &one : streams) {
        SCOPED_TRACE(one.name);
        const ends file = one.make();
        trial tried{world, SYS_write, file.in, content.data(), content.size()};
        std::string arrived;
        long result = static_cast<long>(content.size());
        if (tried.attempt().waits_for != until::nothing) result = drain(tried, file.out, arrived);
        arrived += get(file.out, content.size() - arrived.size());
        EXPECT_EQ(result, static_cast<long>(content.size()));
        EXPECT_TRUE(arrived == content);
    }
}

TEST_P(writing, a_vector_of_any_shape_is_complete_with_the_last_byte) {
    const std::vector<std::vector<std::size_t>> shapes = {{1'000'000},
                                                          {0, 600'000, 0, 0, 399'999, 1, 0},
                                                          {1, 2, 3, 4, 5, 6, 7, 8, 900'000},
                                                          std::vector<std::size_t>(IOV_MAX, 900)};
    for (const kind &one : streams) {
        for (const auto &lengths : shapes) {
            SCOPED_TRACE(std::string{one.name} + ", " + std::to_string(lengths.size()) + " entries");
            const ends file = one.make();
            std::vector<iovec> vector;
            vector.reserve(lengths.size());
            std::size_t all = 0;
            for (const std::size_t length : lengths)
                vector.push_back({const_cast<char *>(content.data()) + std::exchange(all, all + length), length});
            const std::vector<iovec> before = vector;
            trial tried{world, SYS_writev, file.in, vector.data(), vector.size()};
            std::string arrived;
            long result = static_cast<long>(all);
            const laio::outcome first = tried.attempt();
            for (std::size_t i = 0; i < vector.size(); ++i) { // as it was, and from now on the application's again
                EXPECT_EQ(vector[i].iov_base, before[i].iov_base);
                EXPECT_EQ(vector[i].iov_len, before[i].iov_len);
                vector[i] = {nullptr, 77};
            }
            if (first.waits_for != until::nothing) result = drain(tried, file.out, arrived);
            arrived += get(file.out, all - arrived.size());
            EXPECT_EQ(result, static_cast<long>(all));
            EXPECT_TRUE(arrived == content.substr(0, all));
        }
    }
}

TEST_P(writing, gives_what_went_before_an_error) {
    for (const kind &one : streams) {
        SCOPED_TRACE(one.name);
        ends file = one.make();
        const std::string much(8'000'000, 'x'); // more than any buffer in between
        trial tried{world, SYS_write, file.in, much.data(), much.size()};
        ASSERT_EQ(tried.attempt(), blocked(until::writable));
        const auto moved = static_cast<long>(tried.op().moved);
        EXPECT_GT(moved, 0);
        std::signal(SIGPIPE, count_broken_pipe);
        broken_pipes = 0;
        file.out.reset();
        const long result = tried.go_on();
        std::signal(SIGPIPE, SIG_IGN);
        if (one.make != a_pipe.make) { EXPECT_EQ(broken_pipes, 0) << "a socket's answer is a count, and no signal"; }
        EXPECT_GE(result, moved);
        EXPECT_LT(result, static_cast<long>(much.size()));
    }
}

TEST_P(writing, to_nobody_is_a_broken_pipe_with_its_signal) {
    std::signal(SIGPIPE, count_broken_pipe);
    for (const kind &one : {a_pipe, a_unix_stream}) {
        for (const bool known : {false, true}) {
            SCOPED_TRACE(one.name);
            ends file = one.make();
            file.out.reset();
            if (known) world.hints.note(file.in, one.name == a_pipe.name ? file_kind::pipe : file_kind::socket);
            broken_pipes = 0;
            EXPECT_EQ(attempt_of(world, SYS_write, file.in, "hello", 5), done(-EPIPE));
            EXPECT_EQ(broken_pipes, 1);
        }
    }
}

// ---- O_NONBLOCK --------------------------------------------------------------------------------------------------------------

// Against the plain call on another file of the same kind.
TEST_P(writing, to_a_nonblocking_descriptor_is_like_the_plain_call) {
    for (const kind &one : pipes_and_sockets) {
        SCOPED_TRACE(one.name);
        const ends file = one.make();
        const ends twin = one.make();
        set_nonblocking(file.in);
        set_nonblocking(twin.in);
        const long much =
            one.name == a_pipe.name ? 1'000'000 : 8; // how much a socket takes changes from one to the next
        EXPECT_EQ(attempt_of(world, SYS_write, file.in, content.data(), much),
                  done(plain(SYS_write, twin.in, content.data(), much)));
        fill(file.in);
        EXPECT_EQ(attempt_of(world, SYS_write, file.in, content.data(), much), done(-EAGAIN));
        EXPECT_EQ(attempt_of(world, SYS_write, file.in, content.data(), much), done(-EAGAIN)) << "again";
    }
}

TEST_P(writing, that_waits_already_does_not_mind_o_nonblock) {
    for (const kind &one : streams) {
        SCOPED_TRACE(one.name);
        const ends file = one.make();
        const std::string much(8'000'000, 'x');
        trial tried{world, SYS_write, file.in, much.data(), much.size()};
        EXPECT_EQ(tried.attempt(), blocked(until::writable));
        set_nonblocking(file.in);
        std::string arrived;
        EXPECT_EQ(drain(tried, file.out, arrived), static_cast<long>(much.size()));
    }
}

// ---- Regular files -----------------------------------------------------------------------------------------------------------

TEST_P(writing, to_a_file_is_never_begun_in_place) {
    const directory here;
    const descriptor on_disk = here.file("a", "0123456789");
    const descriptor in_memory = make_memory_file("0123456789");
    const descriptor appending{open(here.path("a").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC)};
    for (const descriptor *file : {&on_disk, &in_memory, &appending}) {
        const iovec vector[] = {{const_cast<char *>("xy"), 2}, {const_cast<char *>("z"), 1}};
        trial by_offset{world, SYS_write, *file, "xyz", 3};
        EXPECT_EQ(by_offset.attempt(), blocked(until::carrier));
        EXPECT_TRUE(by_offset.op().positional) << "others that move the offset must wait for it";
        trial at_offset{world, SYS_pwrite64, *file, "xyz", 3, 5};
        EXPECT_EQ(at_offset.attempt(), blocked(until::carrier));
        EXPECT_FALSE(at_offset.op().positional);
        EXPECT_EQ(attempt_of(world, SYS_writev, *file, vector, 2), blocked(until::carrier));
        EXPECT_EQ(attempt_of(world, SYS_pwritev, *file, vector, 2, 5, 0), blocked(until::carrier));
        EXPECT_EQ(attempt_of(world, SYS_pwritev2, *file, vector, 2, -1, -1, 0), blocked(until::carrier));
    }
    for (const descriptor *file : {&on_disk, &in_memory}) {
        char now[100]{};
        EXPECT_EQ(pread(*file, now, sizeof now, 0), 10) << "something was written";
        EXPECT_STREQ(now, "0123456789");
        EXPECT_EQ(trial(world, SYS_write, *file, "xyz", 3).finish(), 3);
        EXPECT_EQ(trial(world, SYS_pwrite64, *file, "!", 1, 9).finish(), 1);
        EXPECT_EQ(pread(*file, now, sizeof now, 0), 10);
        EXPECT_STREQ(now, "xyz345678!");
        EXPECT_EQ(lseek(*file, 0, SEEK_CUR), 3);
    }
}

// ---- Counters ----------------------------------------------------------------------------------------------------------------

TEST_P(writing, to_a_full_counter_does_not_hold_up_the_loop) {
    for (const std::uint64_t already : {0xfffffffffffffffeU, 0xfffffffffffffffdU}) {
        const descriptor counter{eventfd(0, EFD_CLOEXEC)};
        ASSERT_EQ(write(counter, &already, sizeof already), 8);
        const std::uint64_t two = 2; // for the second there is room for one
        const auto is_left_to_a_carrier = [&] {
            alarm(10); // if it waits in place
            return attempt_of(world, SYS_write, counter, &two, sizeof two) == blocked(until::carrier);
        };
        EXPECT_EXIT(_exit(is_left_to_a_carrier() ? 0 : 1), testing::ExitedWithCode(0), "");
        set_nonblocking(counter);
        EXPECT_EQ(attempt_of(world, SYS_write, counter, &two, sizeof two), done(-EAGAIN));
    }
}

// ---- Nothing to write --------------------------------------------------------------------------------------------------------

TEST_P(writing, nothing_is_like_the_plain_call) {
    const iovec empty[2] = {};
    for (const kind &one : all_kinds) {
        for (const long entries : {-1L, 0L, 1L, 2L}) { // -1: not a vector
            SCOPED_TRACE(std::string{one.name} + ", " + std::to_string(entries) + " entries");
            const ends file = one.make();
            const ends twin = one.make();
            const long result = entries < 0 ? trial(world, SYS_write, file.in, "", 0).finish()
                                            : trial(world, SYS_writev, file.in, empty, entries).finish();
            EXPECT_EQ(result,
                      entries < 0 ? plain(SYS_write, twin.in, "", 0) : plain(SYS_writev, twin.in, empty, entries));
            EXPECT_EQ(has_something(file.out), has_something(twin.out)) << "an empty datagram";
        }
    }
}

// ---- Errors --------------------------------------------------------------------------------------------------------------------

TEST_P(writing, with_a_bad_pointer_is_like_the_plain_call) {
    const fence memory;
    for (const kind &one : all_kinds) {
        for (void *bad : {static_cast<void *>(memory.beyond()), static_cast<void *>(nullptr)}) {
            SCOPED_TRACE(one.name);
            const ends file = one.make();
            const ends twin = one.make();
            EXPECT_EQ(trial(world, SYS_write, file.in, bad, 8).finish(), plain(SYS_write, twin.in, bad, 8));
            EXPECT_EQ(trial(world, SYS_writev, file.in, bad, 2).finish(), -EFAULT);
            EXPECT_EQ(has_something(file.out), has_something(twin.out));
        }
    }
}

TEST_P(writing, to_what_cannot_be_written_is_like_the_plain_call) {
    const directory here;
    const descriptor file = here.file("a", "content");
    const descriptor readable{open(here.path("a").c_str(), O_RDONLY | O_CLOEXEC)};
    const descriptor folder{open(here.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    const descriptor named{open(here.path().c_str(), O_PATH | O_CLOEXEC)};
    const descriptor alone{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const ends pipe = make_pipe();
    const ends sockets = make_sockets();
    const int closed = must(fcntl(pipe.out, F_DUPFD_CLOEXEC, 500), "dup");
    close(closed);
    char bytes[8]{};
    const iovec vector[2] = {{bytes, 4}, {bytes + 4, 4}};
    for (const int number : {static_cast<int>(readable), static_cast<int>(folder), static_cast<int>(named),
                             static_cast<int>(alone), static_cast<int>(pipe.out), closed, -1, INT_MAX, INT_MIN}) {
        SCOPED_TRACE(number);
        EXPECT_EQ(trial(world, SYS_write, number, bytes, 8).finish(), plain(SYS_write, number, bytes, 8));
        EXPECT_EQ(trial(world, SYS_writev, number, vector, 2).finish(), plain(SYS_writev, number, vector, 2));
        EXPECT_EQ(trial(world, SYS_pwrite64, number, bytes, 8, 0).finish(), plain(SYS_pwrite64, number, bytes, 8, 0));
        EXPECT_EQ(trial(world, SYS_pwritev, number, vector, 2, 0, 0).finish(),
                  plain(SYS_pwritev, number, vector, 2, 0, 0));
    }
    for (const int number : {static_cast<int>(pipe.in), static_cast<int>(sockets.in)}) { // they have no positions
        EXPECT_EQ(attempt_of(world, SYS_pwrite64, number, bytes, 8, 0), done(-ESPIPE));
        EXPECT_EQ(attempt_of(world, SYS_pwritev, number, vector, 2, 0, 0), done(-ESPIPE));
        EXPECT_EQ(attempt_of(world, SYS_pwritev2, number, vector, 2, 5, 0, 0), done(-ESPIPE));
    }
}

TEST_P(writing, with_impossible_numbers_is_like_the_plain_call) {
    char byte = 0;
    const std::vector<iovec> vector(IOV_MAX + 1, iovec{&byte, 1});
    const iovec negative{&byte, static_cast<std::size_t>(-1)};
    const directory here;
    std::vector<ends> opened;
    for (const kind &one : all_kinds) opened.push_back(one.make());
    opened.push_back({here.file("a", ""), here.file("b", "")});
    for (const ends &file : opened) {
        const auto expect_as_plain = [this, &file](long number, auto... rest) {
            EXPECT_EQ(trial(world, number, file.in, rest...).finish(), plain(number, file.in, rest...));
        };
        expect_as_plain(SYS_write, &byte, -1L);
        expect_as_plain(SYS_write, &byte, LONG_MIN);
        expect_as_plain(SYS_pwrite64, &byte, 1L, -1L);
        expect_as_plain(SYS_writev, vector.data(), IOV_MAX + 1);
        expect_as_plain(SYS_writev, vector.data(), -1L);
        expect_as_plain(SYS_writev, &negative, 1L);
        expect_as_plain(SYS_pwritev, vector.data(), 1L, -1L, 0L);
        expect_as_plain(SYS_pwritev2, vector.data(), 1L, -2L, 0L, 0L);
        expect_as_plain(SYS_pwritev2, vector.data(), 1L, -1L, 0L, 0x40000000);
    }
}

TEST_P(writing, that_asks_not_to_wait_does_not) {
    const ends pipe = make_pipe();
    fill(pipe.in);
    const iovec vector{const_cast<char *>("x"), 1};
    EXPECT_EQ(trial(world, SYS_pwritev2, pipe.in, &vector, 1, -1, -1, RWF_NOWAIT).finish(),
              plain(SYS_pwritev2, pipe.in, &vector, 1, -1, -1, RWF_NOWAIT));
}

// ---- Hints ---------------------------------------------------------------------------------------------------------------------

TEST_P(writing, is_right_whatever_is_believed_of_the_descriptor) {
    constexpr file_kind beliefs[] = {file_kind::unknown,   file_kind::socket,    file_kind::pipe,
                                     file_kind::regular,   file_kind::directory, file_kind::block,
                                     file_kind::character, file_kind::anonymous};
    for (const file_kind belief : beliefs) {
        for (const bool refuses : {false, true}) {
            for (const kind &one : all_kinds) {
                SCOPED_TRACE(std::string{one.name} + " taken for " + std::to_string(static_cast<int>(belief)));
                const ends file = one.make();
                world.hints.note(file.in, belief, refuses);
                EXPECT_EQ(trial(world, SYS_write, file.in, eight.data(), 8).finish(), 8);
                EXPECT_EQ(get(file.out, 8), eight);
            }
            const directory here;
            const descriptor file = here.file("a", "");
            world.hints.note(file, belief, refuses);
            EXPECT_EQ(attempt_of(world, SYS_write, file, "x", 1), blocked(until::carrier)) << "a file";
            EXPECT_EQ(lseek(file, 0, SEEK_END), 0);
        }
    }
}

// ---- Results that an engine brings ---------------------------------------------------------------------------------------------

TEST_P(writing, that_the_ring_made_is_done_or_goes_on) {
    const ends sockets = make_sockets();
    trial tried{world, SYS_write, sockets.in, content.data(), 1000};
    EXPECT_EQ(account(tried.op(), world, 400), blocked(until::writable));
    iovec rest{};
    rest_of(tried.op(), rest);
    EXPECT_EQ(rest.iov_base, content.data() + 400);
    EXPECT_EQ(rest.iov_len, 600U);
    EXPECT_EQ(account(tried.op(), world, 600), done(1000));
    trial failed{world, SYS_write, sockets.in, content.data(), 1000};
    EXPECT_EQ(account(failed.op(), world, -ECONNRESET), done(-ECONNRESET));
    trial cut{world, SYS_write, sockets.in, content.data(), 1000};
    EXPECT_EQ(account(cut.op(), world, 400), blocked(until::writable));
    EXPECT_EQ(account(cut.op(), world, -ECONNRESET), done(400));
}

} // namespace
