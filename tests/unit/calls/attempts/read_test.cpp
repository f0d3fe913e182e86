// Reads: what is there is read in place, what is not is waited for, and every answer is the plain call's: on files of all
// kinds, with RWF_NOWAIT and without it, whatever the loop believes about the descriptor.
#include "unit/calls/files.hpp"
#include "unit/calls/trial.hpp"

#include <algorithm>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <vector>

namespace {

using namespace laio::test; // NOLINT(google-build-using-namespace)
using laio::blocked;
using laio::done;
using laio::file_kind;
using laio::outcome;
using laio::surroundings;
using laio::until;

bool refuses_nowait(int file) {
    char byte = 0;
    const iovec one{&byte, 1};
    return plain(SYS_preadv2, file, &one, 1, 0, 0, RWF_NOWAIT) == -EOPNOTSUPP;
}

const std::string eight{"\1\2\3\4\5\6\7\0", 8}; // an eventfd takes it too

class reading : public testing::TestWithParam<bool> {
protected:
    surroundings world = make_world_with_nowait(GetParam());
    char buffer[4096]{};

    std::string text(long length) const { return {buffer, static_cast<std::size_t>(length > 0 ? length : 0)}; }
    outcome attempt_to_read(int file, long length = 8) { return attempt_of(world, SYS_read, file, buffer, length); }
};
INSTANTIATE_TEST_SUITE_P(with_and_without_nowait, reading, testing::Bool(), name_of_world);

// ---- What is there, and what is not ------------------------------------------------------------------------------------

TEST_P(reading, what_is_there_gives_it) {
    for (const kind &one : all_kinds) {
        SCOPED_TRACE(one.name);
        const ends file = one.make();
        put(file.in, eight);
        trial tried{world, SYS_read, file.out, buffer, 8};
        EXPECT_EQ(tried.finish(), 8);
        EXPECT_EQ(text(8), eight);
        EXPECT_FALSE(has_something(file.out)) << "read twice, or not at all";
    }
}

TEST_P(reading, from_a_pipe_or_a_socket_is_done_in_place) {
    for (const kind &one : pipes_and_sockets) {
        SCOPED_TRACE(one.name);
        const ends file = one.make();
        for (int i = 0; i < 3; ++i) { // the second time the loop knows what it is
            put(file.in, "hello");
            EXPECT_EQ(attempt_to_read(file.out, 100), done(5));
            EXPECT_EQ(text(5), "hello");
        }
    }
}

TEST_P(reading, what_is_not_there_waits_for_it) {
    for (const kind &one : all_kinds) {
        SCOPED_TRACE(one.name);
        const ends file = one.make();
        const int flags = fcntl(file.out, F_GETFL);
        trial tried{world, SYS_read, file.out, buffer, 8};
        const until what = tried.attempt().waits_for;
        EXPECT_TRUE(what == until::readable || what == until::readable_carrier) << laio::name_of(what);
        EXPECT_EQ(tried.op().descriptor, file.out);
        EXPECT_EQ(fcntl(file.out, F_GETFL), flags) << "the descriptor was changed";
        put(file.in, eight);
        EXPECT_EQ(tried.go_on(), 8);
        EXPECT_EQ(text(8), eight);
    }
}

TEST_P(reading, from_a_pipe_or_a_socket_waits_without_a_carrier) {
    for (const kind &one : pipes_and_sockets) {
        const ends file = one.make();
        trial tried{world, SYS_read, file.out, buffer, 8};
        for (int i = 0; i < 3; ++i) EXPECT_EQ(tried.attempt(), blocked(until::readable)) << one.name;
    }
}

TEST_P(reading, a_part_is_enough_but_of_a_file) {
    for (const kind &one : {a_pipe, a_unix_stream, a_connection, a_terminal}) {
        SCOPED_TRACE(one.name);
        const ends file = one.make();
        put(file.in, "hello");
        EXPECT_EQ(trial(world, SYS_read, file.out, buffer, sizeof buffer).finish(), 5);
    }
}

TEST_P(reading, gives_zero_at_the_end) {
    for (const kind &one : streams) {
        SCOPED_TRACE(one.name);
        ends file = one.make();
        put(file.in, "x");
        file.in.reset();
        EXPECT_EQ(attempt_to_read(file.out), done(1));
        EXPECT_EQ(attempt_to_read(file.out), done(0));
    }
}

TEST_P(reading, ends_when_the_other_end_closes_while_it_waits) {
    for (const kind &one : streams) {
        SCOPED_TRACE(one.name);
        ends file = one.make();
        trial tried{world, SYS_read, file.out, buffer, 8};
        EXPECT_EQ(tried.attempt(), blocked(until::readable));
        file.in.reset();
        EXPECT_EQ(tried.go_on(), 0);
    }
}

// ---- O_NONBLOCK --------------------------------------------------------------------------------------------------------

TEST_P(reading, from_a_nonblocking_descriptor_does_not_wait) {
    for (const kind &one : all_kinds) {
        SCOPED_TRACE(one.name);
        const ends file = one.make();
        set_nonblocking(file.out);
        EXPECT_EQ(attempt_to_read(file.out), done(-EAGAIN));
        put(file.in, eight);
        EXPECT_EQ(attempt_to_read(file.out), done(8));
        EXPECT_EQ(attempt_to_read(file.out), done(-EAGAIN)) << "again";
    }
}

TEST_P(reading, that_waits_already_does_not_mind_o_nonblock) {
    for (const kind &one : streams) {
        SCOPED_TRACE(one.name);
        const ends file = one.make();
        trial tried{world, SYS_read, file.out, buffer, 8};
        EXPECT_EQ(tried.attempt(), blocked(until::readable));
        set_nonblocking(file.out);
        EXPECT_EQ(tried.attempt(), blocked(until::readable));
        put(file.in, eight);
        EXPECT_EQ(tried.go_on(), 8);
    }
}

// ---- Regular files -----------------------------------------------------------------------------------------------------

class reading_files : public reading {
protected:
    directory here;
    const std::string content = pattern(100'000);
    const descriptor on_disk = here.file("a", content);
    const descriptor in_memory = make_memory_file(content);
    std::string bytes = std::string(200'000, '-');
};
INSTANTIATE_TEST_SUITE_P(with_and_without_nowait, reading_files, testing::Bool(), name_of_world);

TEST_P(reading_files, gives_all_that_is_asked_for_and_moves_the_offset_once) {
    for (const descriptor *file : {&on_disk, &in_memory}) {
        EXPECT_EQ(trial(world, SYS_read, *file, bytes.data(), 70'000).finish(), 70'000);
        EXPECT_EQ(bytes.substr(0, 70'000), content.substr(0, 70'000));
        EXPECT_EQ(lseek(*file, 0, SEEK_CUR), 70'000);
        EXPECT_EQ(trial(world, SYS_read, *file, bytes.data(), 70'000).finish(), 30'000) << "the file ends";
        EXPECT_EQ(bytes.substr(0, 30'000), content.substr(70'000));
        EXPECT_EQ(lseek(*file, 0, SEEK_CUR), 100'000);
        EXPECT_EQ(trial(world, SYS_read, *file, bytes.data(), 70'000).finish(), 0);
        EXPECT_EQ(trial(world, SYS_pread64, *file, bytes.data(), 70'000, 60'000).finish(), 40'000);
        EXPECT_EQ(bytes.substr(0, 40'000), content.substr(60'000));
        EXPECT_EQ(trial(world, SYS_pread64, *file, bytes.data(), 70'000, 1 << 30).finish(), 0) << "far behind the end";
        EXPECT_EQ(lseek(*file, 0, SEEK_CUR), 100'000) << "moved by pread64";
    }
}

TEST_P(reading_files, in_memory_is_done_in_place) {
    if (!GetParam()) GTEST_SKIP() << "without RWF_NOWAIT nothing says whether a file is in memory";
    if (refuses_nowait(on_disk)) GTEST_SKIP() << "the file system in " << here.path() << " refuses RWF_NOWAIT";
    get(on_disk, content.size()); // now it is
    EXPECT_EQ(attempt_of(world, SYS_pread64, on_disk, bytes.data(), 4096, 0), done(4096));
    EXPECT_EQ(attempt_of(world, SYS_pread64, on_disk, bytes.data(), 4096, 99'000), done(1000)) << "across its end";
    EXPECT_EQ(bytes.substr(0, 1000), content.substr(99'000));
    EXPECT_EQ(attempt_of(world, SYS_pread64, on_disk, bytes.data(), 4096, 100'000), done(0));
}

// What is asked for a second time is not asked of RWF_NOWAIT again, and no less right.
TEST_P(reading_files, of_a_file_system_that_refuses_goes_to_a_carrier) {
    if (GetParam() && !refuses_nowait(in_memory)) GTEST_SKIP() << "this kernel's tmpfs knows RWF_NOWAIT";
    for (int i = 0; i < 3; ++i) {
        trial positional{world, SYS_read, in_memory, bytes.data(), 100};
        EXPECT_EQ(positional.attempt(), blocked(until::carrier));
        EXPECT_TRUE(positional.op().positional) << "others that move the offset must wait for it";
        trial at_offset{world, SYS_pread64, in_memory, bytes.data(), 100, 0};
        EXPECT_EQ(at_offset.attempt(), blocked(until::carrier));
        EXPECT_FALSE(at_offset.op().positional);
    }
}

TEST_P(reading_files, that_are_cold_is_left_to_the_ring_or_a_carrier_and_is_complete) {
    must(fsync(on_disk), "fsync");
    for (const long length : {4096L, 50'000L, 150'000L}) {
        must(posix_fadvise(on_disk, 0, 0, POSIX_FADV_DONTNEED), "posix_fadvise");
        must(pread(on_disk, bytes.data(), 4096, 0), "pread"); // its start may be warm, and some more
        trial tried{world, SYS_pread64, on_disk, bytes.data(), length, 0};
        const until what = tried.attempt().waits_for;
        EXPECT_TRUE(what == until::nothing || what == until::ring || what == until::carrier) << laio::name_of(what);
        const long got = what == until::nothing ? trial(world, SYS_pread64, on_disk, bytes.data(), length, 0).finish()
                                                : tried.go_on();
        const auto expected = std::min(static_cast<std::size_t>(length), content.size());
        EXPECT_EQ(got, static_cast<long>(expected));
        EXPECT_EQ(bytes.substr(0, expected), content.substr(0, expected));
    }
}

TEST_P(reading_files, does_not_mind_o_nonblock) {
    set_nonblocking(on_disk);
    must(fsync(on_disk), "fsync");
    must(posix_fadvise(on_disk, 0, 0, POSIX_FADV_DONTNEED), "posix_fadvise");
    EXPECT_EQ(trial(world, SYS_pread64, on_disk, bytes.data(), 4096, 50'000).finish(), 4096);
    EXPECT_EQ(bytes.substr(0, 4096), content.substr(50'000, 4096));
}

// ---- Vectors -----------------------------------------------------------------------------------------------------------

TEST_P(reading_files, into_vectors_of_all_shapes_is_like_the_plain_call) {
    const std::vector<std::vector<std::size_t>> shapes = {
        {5}, {0, 5}, {5, 0, 5}, {0, 0}, {100, 1, 50'000, 0, 60'000}, std::vector<std::size_t>(IOV_MAX, 98)};
    for (const auto &lengths : shapes) {
        std::vector<iovec> vector;
        vector.reserve(lengths.size());
        std::size_t at = 0;
        for (const std::size_t length : lengths)
            vector.push_back({bytes.data() + std::exchange(at, at + length), length});
        const auto count = static_cast<long>(vector.size());
        for (const descriptor *file : {&on_disk, &in_memory}) {
            SCOPED_TRACE(std::to_string(lengths.size()) + " entries");
            must(lseek(*file, 7, SEEK_SET), "lseek");
            const long expected = plain(SYS_readv, *file, vector.data(), count);
            const std::string expected_bytes = bytes;
            bytes.assign(bytes.size(), '-');
            must(lseek(*file, 7, SEEK_SET), "lseek");
            EXPECT_EQ(trial(world, SYS_readv, *file, vector.data(), count).finish(), expected);
            EXPECT_EQ(bytes, expected_bytes);
            EXPECT_EQ(lseek(*file, 0, SEEK_CUR), 7 + expected);
            bytes.assign(bytes.size(), '-');
            EXPECT_EQ(trial(world, SYS_preadv, *file, vector.data(), count, 7, 0).finish(), expected);
            EXPECT_EQ(bytes, expected_bytes);
            bytes.assign(bytes.size(), '-');
            EXPECT_EQ(trial(world, SYS_preadv2, *file, vector.data(), count, 7, 0, 0).finish(), expected);
            EXPECT_EQ(bytes, expected_bytes);
            bytes.assign(bytes.size(), '-');
        }
    }
}

TEST_P(reading, into_a_vector_takes_what_a_pipe_or_socket_has) {
    for (const kind &one : streams) {
        SCOPED_TRACE(one.name);
        const ends file = one.make();
        const iovec vector[] = {{buffer, 2}, {nullptr, 0}, {buffer + 2, 100}};
        trial tried{world, SYS_readv, file.out, vector, 3};
        EXPECT_EQ(tried.attempt(), blocked(until::readable));
        put(file.in, "hello");
        EXPECT_EQ(tried.go_on(), 5);
        EXPECT_EQ(text(5), "hello");
    }
}

// ---- Sockets -----------------------------------------------------------------------------------------------------------

// A TCP connection wakes nobody, this library or the plain call, before the mark is in its queue.
TEST_P(reading, from_a_socket_waits_for_its_low_water_mark) {
    for (const kind &one : {a_unix_stream, a_connection}) {
        SCOPED_TRACE(one.name);
        const ends sockets = one.make();
        const int low = 10;
        must(setsockopt(sockets.out, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof low), "setsockopt");
        put(sockets.in, "01234");
        trial tried{world, SYS_read, sockets.out, buffer, 100};
        EXPECT_EQ(tried.attempt(), blocked(until::readable));
        const std::string_view rest = one.make == a_connection.make ? "56789abcde" : "56789";
        put(sockets.in, rest);
        EXPECT_EQ(tried.go_on(), static_cast<long>(5 + rest.size()));
        EXPECT_EQ(text(10), "0123456789");
    }
}

TEST_P(reading, without_a_length_is_like_the_plain_call) {
    const directory here;
    const descriptor file = here.file("a", "content");
    const descriptor folder{open(here.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    const descriptor poller{epoll_create1(EPOLL_CLOEXEC)};
    std::vector<std::pair<const char *, int>> files = {{"file", file}, {"directory", folder}, {"epoll", poller}};
    std::vector<ends> opened;
    for (const kind &one : all_kinds) {
        opened.push_back(one.make());
        files.emplace_back(one.name, opened.back().out);
    }
    for (const bool has_some : {false, true}) {
        for (const auto &[name, number] : files) {
            SCOPED_TRACE(std::string{name} + (has_some ? " with something in it" : " with nothing in it"));
            const long expected = plain(SYS_read, number, buffer, 0);
            trial tried{world, SYS_read, number, buffer, 0};
            const outcome next = tried.attempt();
            EXPECT_NE(next.waits_for, until::readable) << "for what?";
            if (next.waits_for == until::nothing) { EXPECT_EQ(next.result, expected); }
            if (next.waits_for == until::carrier) { EXPECT_EQ(tried.go_on(), expected); }
        }
        if (!has_some)
            for (const ends &one : opened) put(one.in, eight);
    }
    for (const ends &one : opened)
        EXPECT_EQ(trial(world, SYS_read, one.out, buffer, 8).finish(), 8) << "nothing is lost";
}

// ---- Errors ------------------------------------------------------------------------------------------------------------

// Against the plain call on another file of the same kind; both have something to read.
TEST_P(reading, with_a_bad_pointer_is_like_the_plain_call) {
    const fence memory;
    for (const kind &one : all_kinds) {
        for (void *bad : {static_cast<void *>(memory.beyond()), static_cast<void *>(nullptr)}) {
            SCOPED_TRACE(one.name);
            const ends file = one.make();
            const ends twin = one.make();
            put(file.in, eight);
            put(twin.in, eight);
            EXPECT_EQ(trial(world, SYS_read, file.out, bad, 8).finish(), plain(SYS_read, twin.out, bad, 8));
            EXPECT_EQ(has_something(file.out), has_something(twin.out));
            EXPECT_EQ(trial(world, SYS_readv, file.out, bad, 2).finish(), -EFAULT);
        }
    }
}

TEST_P(reading, into_memory_that_ends_is_like_the_plain_call) {
    const fence memory;
    for (const kind &one : streams) {
        SCOPED_TRACE(one.name);
        const ends file = one.make();
        const ends twin = one.make();
        put(file.in, "0123456789");
        put(twin.in, "0123456789");
        EXPECT_EQ(trial(world, SYS_read, file.out, memory.last(3), 10).finish(),
                  plain(SYS_read, twin.out, memory.last(3), 10));
    }
}

TEST_P(reading, what_cannot_be_read_is_like_the_plain_call) {
    const directory here;
    const descriptor writable{open(here.path("a").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
    const descriptor folder{open(here.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    const descriptor named{open(here.path().c_str(), O_PATH | O_CLOEXEC)};
    const descriptor poller{epoll_create1(EPOLL_CLOEXEC)};
    const descriptor alone{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const ends pipe = make_pipe();
    const ends sockets = make_sockets();
    const int closed = must(fcntl(pipe.out, F_DUPFD_CLOEXEC, 500), "dup");
    close(closed);
    for (const int number :
         {static_cast<int>(writable), static_cast<int>(folder), static_cast<int>(named), static_cast<int>(poller),
          static_cast<int>(alone), static_cast<int>(pipe.in), closed, -1, INT_MAX, INT_MIN}) {
        SCOPED_TRACE(number);
        if (number == poller && !GetParam()) continue; // waited for before it is asked
        const iovec vector[2] = {{buffer, 4}, {buffer + 4, 4}};
        EXPECT_EQ(trial(world, SYS_read, number, buffer, 8).finish(), plain(SYS_read, number, buffer, 8));
        EXPECT_EQ(trial(world, SYS_readv, number, vector, 2).finish(), plain(SYS_readv, number, vector, 2));
        EXPECT_EQ(trial(world, SYS_pread64, number, buffer, 8, 0).finish(), plain(SYS_pread64, number, buffer, 8, 0));
        EXPECT_EQ(trial(world, SYS_preadv2, number, vector, 2, -1, -1, 0).finish(),
                  plain(SYS_preadv2, number, vector, 2, -1, -1, 0));
    }
    for (const int number : {static_cast<int>(pipe.out), static_cast<int>(sockets.out)}) { // they have no positions
        const iovec one{buffer, 8};
        EXPECT_EQ(attempt_of(world, SYS_pread64, number, buffer, 8, 0), done(-ESPIPE));
        EXPECT_EQ(attempt_of(world, SYS_preadv, number, &one, 1, 0, 0), done(-ESPIPE));
    }
}

TEST_P(reading, with_impossible_numbers_fails_at_once) {
    std::vector<iovec> vector(IOV_MAX + 1, iovec{buffer, 1});
    const iovec negative{buffer, static_cast<std::size_t>(-1)};
    for (const kind &one : all_kinds) { // nothing is there: who takes it for "would block" waits for ever
        SCOPED_TRACE(one.name);
        const ends file = one.make();
        const auto expect_as_plain = [this, &file](long number, auto... rest) {
            EXPECT_EQ(attempt_of(world, number, file.out, rest...), done(plain(number, file.out, rest...)));
        };
        expect_as_plain(SYS_read, buffer, -1L);
        expect_as_plain(SYS_read, buffer, LONG_MIN);
        expect_as_plain(SYS_pread64, buffer, 8L, -1L);
        expect_as_plain(SYS_readv, vector.data(), IOV_MAX + 1);
        expect_as_plain(SYS_readv, vector.data(), -1L);
        expect_as_plain(SYS_readv, &negative, 1L);
        expect_as_plain(SYS_preadv, vector.data(), 1L, -1L, 0L);
        expect_as_plain(SYS_preadv2, vector.data(), 1L, -2L, 0L, 0L);
        expect_as_plain(SYS_preadv2, vector.data(), 1L, -1L, 0L, RWF_NOWAIT);
    }
}

// What is wrong with one call must not count as a refusal by the kind of file.
TEST_P(reading, that_failed_does_not_spoil_the_next_one) {
    if (!GetParam()) GTEST_SKIP() << "without RWF_NOWAIT an eventfd is waited for before it is asked";
    const ends counter = make_eventfd();
    EXPECT_EQ(attempt_to_read(counter.out, 4), done(-EINVAL)) << "an eventfd is eight bytes";
    put(counter.in, eight);
    EXPECT_EQ(attempt_to_read(counter.out, 4), done(-EINVAL));
    EXPECT_EQ(attempt_to_read(counter.out), done(8)) << "in place, as ever";
    const descriptor poller{epoll_create1(EPOLL_CLOEXEC)};
    EXPECT_EQ(attempt_to_read(poller), done(-EINVAL)) << "it cannot be read";
}

TEST_P(reading, with_flags_that_mean_nothing_reads_nothing) {
    for (const kind &one : all_kinds) {
        SCOPED_TRACE(one.name);
        const ends file = one.make();
        put(file.in, eight);
        const iovec vector{buffer, 8};
        constexpr int unknown = 0x40000000;
        const long expected = plain(SYS_preadv2, file.out, &vector, 1, -1, -1, unknown);
        ASSERT_LT(expected, 0);
        EXPECT_EQ(trial(world, SYS_preadv2, file.out, &vector, 1, -1, -1, unknown).finish(), expected);
        EXPECT_TRUE(has_something(file.out));
        EXPECT_EQ(trial(world, SYS_read, file.out, buffer, 8).finish(), 8);
    }
}

// Neither RWF_NOWAIT nor a second way: ready, somebody who may block makes it at once; else not before it is ready.
TEST_P(reading, what_has_no_attempt_is_made_when_it_is_readable) {
    world.has.nowait = false;
    const ends counter = make_eventfd();
    EXPECT_EQ(attempt_to_read(counter.out), blocked(until::readable_carrier));
    put(counter.in, eight);
    trial tried{world, SYS_read, counter.out, buffer, 8};
    EXPECT_EQ(tried.attempt(), blocked(until::carrier));
    EXPECT_EQ(tried.go_on(), 8);
}

// ---- Hints -------------------------------------------------------------------------------------------------------------

// A number may mean another file than it did: what is believed of it decides what is tried first, never the answer.
TEST_P(reading, is_right_whatever_is_believed_of_the_descriptor) {
    constexpr file_kind beliefs[] = {file_kind::unknown,   file_kind::socket,    file_kind::pipe,
                                     file_kind::regular,   file_kind::directory, file_kind::block,
                                     file_kind::character, file_kind::anonymous};
    const directory here;
    const descriptor file = here.file("a", eight);
    for (const file_kind belief : beliefs) {
        for (const bool refuses : {false, true}) {
            for (const kind &one : all_kinds) {
                SCOPED_TRACE(std::string{one.name} + " taken for " + std::to_string(static_cast<int>(belief)));
                const ends fresh = one.make();
                world.hints.note(fresh.out, belief, refuses);
                trial tried{world, SYS_read, fresh.out, buffer, 8};
                const until what = tried.attempt().waits_for;
                ASSERT_TRUE(what == until::readable || what == until::readable_carrier) << laio::name_of(what);
                world.hints.note(fresh.out, belief, refuses);
                put(fresh.in, eight);
                EXPECT_EQ(tried.go_on(), 8);
                EXPECT_EQ(text(8), eight);
                world.hints.note(fresh.out, belief, refuses);
                set_nonblocking(fresh.out);
                EXPECT_EQ(attempt_to_read(fresh.out), done(-EAGAIN));
            }
            world.hints.note(file, belief, refuses);
            EXPECT_EQ(trial(world, SYS_pread64, file, buffer, 100, 0).finish(), 8) << "of a file";
        }
    }
}

// ---- Results that an engine brings ---------------------------------------------------------------------------------------

TEST_P(reading_files, that_the_ring_made_is_done_or_goes_on) {
    trial whole{world, SYS_pread64, on_disk, bytes.data(), 1000, 0};
    EXPECT_EQ(account(whole.op(), world, 1000), done(1000));
    trial failed{world, SYS_pread64, on_disk, bytes.data(), 1000, 0};
    EXPECT_EQ(account(failed.op(), world, -EIO), done(-EIO));
    trial ended{world, SYS_pread64, on_disk, bytes.data(), 1000, 0};
    EXPECT_EQ(account(ended.op(), world, 0), done(0));
    trial cut{world, SYS_pread64, on_disk, bytes.data(), 1000, 0};
    EXPECT_EQ(account(cut.op(), world, 400), blocked(until::ring)) << "a file gives all";
    iovec rest{};
    EXPECT_EQ(rest_of(cut.op(), rest).offset, 400);
    EXPECT_EQ(rest.iov_len, 600U);
    EXPECT_EQ(account(cut.op(), world, -EIO), done(400)) << "what was read before an error";
    trial cut_at_end{world, SYS_pread64, on_disk, bytes.data(), 1000, 0};
    EXPECT_EQ(account(cut_at_end.op(), world, 400), blocked(until::ring));
    EXPECT_EQ(account(cut_at_end.op(), world, 0), done(400));
}

TEST_P(reading, that_the_ring_made_is_done_with_what_a_pipe_or_socket_had) {
    for (const kind &one : streams) {
        const ends file = one.make();
        trial tried{world, SYS_read, file.out, buffer, 1000};
        EXPECT_EQ(account(tried.op(), world, 400), done(400)) << one.name;
    }
}

} // namespace
