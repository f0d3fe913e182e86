// Complete: one completion per blocked call, when all of it is done (laio_syscall(3), "Complete means what a blocking call
// would have returned"; write(2), send(2), recv(2), readv(2), socket(7)).
//
// The counterpart is always a plain thread, which takes or gives bytes in odd sizes. Where the kernel's own answer is the
// measure, the plain call is made beside, in a thread of its own.
#include "harness.hpp"

#include <climits>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <thread>
#include <unistd.h>

namespace laio::test {
namespace {

class completeness : public contract_test {};

// Reads `size` bytes in odd portions, in a thread of its own.
class odd_reader {
public:
    odd_reader(int fd, std::size_t size) : thread_{[this, fd, size] { read_oddly(fd, size); }} {}
    ~odd_reader() {
        if (thread_.joinable()) thread_.join();
    }
    odd_reader(const odd_reader &) = delete;
    odd_reader &operator=(const odd_reader &) = delete;
    std::string bytes() {
        thread_.join();
        return std::move(bytes_);
    }

private:
    void read_oddly(int fd, std::size_t size) {
        std::size_t portion = 1;
        while (bytes_.size() < size) {
            const std::string got = read_all(fd, std::min(portion, size - bytes_.size()));
            if (got.empty()) return;
            bytes_ += got;
            portion = portion * 3 % 65521 + 1;
        }
    }

    std::string bytes_;
    std::thread thread_;
};

enum class sink : std::uint8_t { pipe, unix_socket, tcp_socket, pty };

descriptor_pair make_sink(sink kind) {
    switch (kind) {
    case sink::pipe: {
        pipe_ends ends = make_pipe();
        return {std::move(ends.writer), std::move(ends.reader)};
    }
    case sink::unix_socket: return make_unix_pair();
    case sink::tcp_socket: return make_tcp_pair();
    case sink::pty: return make_pty();
    }
    return {};
}

void expect_write_is_whole(sink kind, std::size_t size) {
    const descriptor_pair pair = make_sink(kind);
    const std::string sent = pattern(size);
    call_record *call = begin(SYS_write, pair.near.get(), sent.data(), sent.size());
    EXPECT_FALSE(call->is_direct()) << call->result; // nobody has read: it cannot be done
    odd_reader reader{pair.far.get(), size};
    EXPECT_EQ(finish(call), (outcome{static_cast<long>(size), 0}));
    EXPECT_TRUE(reader.bytes() == sent);
    EXPECT_EQ(laio_outstanding(), 0);
}

TEST_P(completeness, write_to_a_slow_pipe) { expect_write_is_whole(sink::pipe, big_size); }

TEST_P(completeness, write_to_a_slow_unix_socket) { expect_write_is_whole(sink::unix_socket, big_size); }

TEST_P(completeness, write_to_a_slow_tcp_socket) { expect_write_is_whole(sink::tcp_socket, big_size); }

TEST_P(completeness, write_to_a_slow_terminal) {
    expect_write_is_whole(sink::pty, big_size / 16); // a terminal takes 4 KB at a time
}

TEST_P(completeness, writev_of_uneven_pieces) {
    for (const sink kind : {sink::pipe, sink::unix_socket, sink::tcp_socket}) {
        const descriptor_pair pair = make_sink(kind);
        std::string sent = pattern(big_size, 2);
        std::vector<iovec> pieces;
        for (std::size_t place = 0, length = 0; place < sent.size(); place += length) {
            length = std::min(sent.size() - place, pieces.size() % 3 == 0 ? 0 : pieces.size() * 4999 + 1);
            pieces.push_back({sent.data() + place, length});
        }
        const std::vector<iovec> before = pieces;
        call_record *call = begin(SYS_writev, pair.near.get(), pieces.data(), pieces.size());
        // The library copies the vector and never edits the caller's: it may go at once.
        for (std::size_t index = 0; index < pieces.size(); ++index)
            EXPECT_TRUE(pieces[index].iov_base == before[index].iov_base &&
                        pieces[index].iov_len == before[index].iov_len);
        pieces.assign(pieces.size(), iovec{});
        odd_reader reader{pair.far.get(), sent.size()};
        EXPECT_EQ(finish(call), (outcome{static_cast<long>(sent.size()), 0}));
        EXPECT_TRUE(reader.bytes() == sent);
    }
}

TEST_P(completeness, send_and_sendmsg) {
    for (const bool tcp : {false, true}) {
        const descriptor_pair pair = tcp ? make_tcp_pair() : make_unix_pair();
        std::string sent = pattern(big_size, 3);
        {
            call_record *call = begin(SYS_sendto, pair.near.get(), sent.data(), sent.size(), 0, nullptr, 0);
            odd_reader reader{pair.far.get(), sent.size()};
            EXPECT_EQ(finish(call), (outcome{static_cast<long>(sent.size()), 0}));
            EXPECT_TRUE(reader.bytes() == sent);
        }
        std::array<iovec, 3> pieces{iovec{sent.data(), 7}, iovec{sent.data() + 7, sent.size() / 2},
                                    iovec{sent.data() + 7 + sent.size() / 2, sent.size() - 7 - sent.size() / 2}};
        msghdr message{};
        message.msg_iov = pieces.data();
        message.msg_iovlen = pieces.size();
        call_record *call = begin(SYS_sendmsg, pair.near.get(), &message, MSG_NOSIGNAL);
        EXPECT_EQ(message.msg_iovlen, 3U);
        EXPECT_EQ(pieces[1].iov_len, sent.size() / 2);
        odd_reader reader{pair.far.get(), sent.size()};
        EXPECT_EQ(finish(call), (outcome{static_cast<long>(sent.size()), 0}));
        EXPECT_TRUE(reader.bytes() == sent);
    }
}

// sendfile(2) to a blocking socket gives all of it.
TEST_P(completeness, sendfile_to_a_slow_socket) {
    const directory files;
    const std::string sent = pattern(big_size / 2, 4);
    const descriptor file = files.file("a", sent);
    const descriptor_pair pair = make_unix_pair();
    long offset = 0;
    call_record *call = begin(SYS_sendfile, pair.near.get(), file.get(), &offset, sent.size());
    odd_reader reader{pair.far.get(), sent.size()};
    EXPECT_EQ(finish(call), (outcome{static_cast<long>(sent.size()), 0}));
    EXPECT_TRUE(reader.bytes() == sent);
    EXPECT_EQ(offset, static_cast<long>(sent.size()));
}

// recv(2): MSG_WAITALL waits until the full request is satisfied; without it, what is there.
TEST_P(completeness, recv_gives_what_is_there_and_waitall_everything) {
    for (const bool tcp : {false, true}) {
        const descriptor_pair pair = tcp ? make_tcp_pair() : make_unix_pair();
        std::string bytes(100, '\0');
        call_record *call = begin(SYS_recvfrom, pair.near.get(), bytes.data(), bytes.size(), 0, nullptr, nullptr);
        EXPECT_FALSE(call->is_direct());
        write_all(pair.far.get(), "abc");
        EXPECT_EQ(finish(call), (outcome{3, 0}));
        EXPECT_EQ(bytes.substr(0, 3), "abc");
        call = begin(SYS_recvfrom, pair.near.get(), bytes.data(), bytes.size(), MSG_WAITALL, nullptr, nullptr);
        const std::string sent = pattern(100, 5);
        for (std::size_t place = 0; place < sent.size(); place += 10) {
            EXPECT_EQ(collect(0), 0) << "complete with " << place << " bytes";
            write_all(pair.far.get(), sent.substr(place, 10));
        }
        EXPECT_EQ(finish(call), (outcome{100, 0}));
        EXPECT_EQ(bytes, sent);
    }
}

// read(2) of a socket is recv(2) without flags: what there is. Of descriptors that the library has not seen before.
TEST_P(completeness, read_of_a_fresh_socket_gives_what_is_there) {
    for (const bool tcp : {false, true}) {
        for (const bool is_there : {true, false}) {
            for (const bool by_vector : {false, true}) {
                const descriptor_pair pair = tcp ? make_tcp_pair() : make_unix_pair();
                std::string bytes(100, '\0');
                const std::array<iovec, 2> pieces{iovec{bytes.data(), 2}, iovec{bytes.data() + 2, 98}};
                if (is_there) {
                    write_all(pair.far.get(), "short");
                    wait_until([&] { return is_readable(pair.near.get()); });
                }
                call_record *call = by_vector ? begin(SYS_readv, pair.near.get(), pieces.data(), 2)
                                              : begin(SYS_read, pair.near.get(), bytes.data(), bytes.size());
                if (!is_there) write_all(pair.far.get(), "short");
                EXPECT_EQ(finish(call), (outcome{5, 0}));
                EXPECT_EQ(bytes.substr(0, 5), "short");
            }
        }
    }
}

// A number that was a file's, a pipe's, a socket's: what the library remembers of it is about the one before.
TEST_P(completeness, number_that_becomes_another_kind_of_file) {
    const directory files;
    const descriptor file = files.file("a", pattern(100));
    const pipe_ends ends = make_pipe();
    const descriptor_pair pair = make_unix_pair();
    const descriptor number{dup(file.get())};
    std::string bytes(100, '\0');
    for (int turn = 0; turn < 3; ++turn) {
        for (const int fd : {pair.near.get(), file.get(), ends.reader.get(), pair.near.get(), ends.reader.get()}) {
            ASSERT_EQ(dup2(fd, number.get()), number.get());
            const bool is_file = fd == file.get();
            ASSERT_EQ(lseek(file.get(), 0, SEEK_SET), 0);
            if (!is_file) write_all(fd == pair.near.get() ? pair.far.get() : ends.writer.get(), "short");
            EXPECT_EQ(done(SYS_read, number.get(), bytes.data(), bytes.size()), (outcome{is_file ? 100 : 5, 0}));
            EXPECT_EQ(bytes.substr(0, 5), is_file ? pattern(100).substr(0, 5) : "short");
        }
    }
}

TEST_P(completeness, waitall_ends_early_at_the_end_of_the_stream) {
    descriptor_pair pair = make_unix_pair();
    std::string bytes(100, '\0');
    call_record *call = begin(SYS_recvfrom, pair.near.get(), bytes.data(), bytes.size(), MSG_WAITALL, nullptr, nullptr);
    write_all(pair.far.get(), "only this");
    collect(0);
    pair.far.reset();
    EXPECT_EQ(finish(call), (outcome{9, 0}));
    EXPECT_EQ(bytes.substr(0, 9), "only this");
}

// readv(2): buffers are filled in order, each one before the next.
TEST_P(completeness, readv_across_vectors) {
    const pipe_ends ends = make_pipe();
    std::array<char, 3> first{};
    std::array<char, 1> second{};
    std::array<char, 9> third{};
    std::vector<iovec> pieces{{first.data(), 3}, {nullptr, 0}, {second.data(), 1}, {third.data(), 9}};
    call_record *call = begin(SYS_readv, ends.reader.get(), pieces.data(), pieces.size());
    EXPECT_FALSE(call->is_direct());
    pieces.assign(4, iovec{});
    write_all(ends.writer.get(), "0123456");
    EXPECT_EQ(finish(call), (outcome{7, 0}));
    EXPECT_EQ((std::string{first.data(), 3} + second[0] + std::string{third.data(), 3}), "0123456");
}

// read(2) of a regular file: all that was asked for unless the file ends, in memory or not.
TEST_P(completeness, reads_of_files) {
    const directory files;
    const std::string content = pattern(1U << 20U, 6);
    const descriptor file = files.file("a", content);
    for (const bool cold : {false, true}) {
        if (cold) make_cold(file.get());
        std::string bytes(content.size() + 5000, '\0');
        EXPECT_EQ(done(SYS_pread64, file.get(), bytes.data(), 300000, 77), (outcome{300000, 0}));
        EXPECT_TRUE(bytes.substr(0, 300000) == content.substr(77, 300000));
        EXPECT_EQ(done(SYS_pread64, file.get(), bytes.data(), 10000, content.size() - 4000), (outcome{4000, 0}));
        EXPECT_TRUE(bytes.substr(0, 4000) == content.substr(content.size() - 4000));
        EXPECT_EQ(done(SYS_pread64, file.get(), bytes.data(), 10, content.size()), (outcome{0, 0}));
        if (cold) make_cold(file.get());
        ASSERT_EQ(lseek(file.get(), 0, SEEK_SET), 0);
        EXPECT_EQ(done(SYS_read, file.get(), bytes.data(), bytes.size()),
                  (outcome{static_cast<long>(content.size()), 0}));
        EXPECT_TRUE(bytes.substr(0, content.size()) == content);
        EXPECT_EQ(lseek(file.get(), 0, SEEK_CUR), static_cast<long>(content.size()));
    }
}

// readv(2) of `size` bytes into pieces of unequal length, which have to get all of them.
std::string read_in_two_pieces(int fd, std::size_t size) {
    std::string first(100000, '\0');
    std::string second(size - first.size(), '\0');
    const std::array<iovec, 2> pieces{iovec{first.data(), first.size()}, iovec{second.data(), second.size()}};
    EXPECT_EQ(done(SYS_readv, fd, pieces.data(), 2), (outcome{static_cast<long>(size), 0}));
    return first + second;
}

// A part of the file is in memory, the rest is not: an attempt gives a short count, the call goes on.
TEST_P(completeness, reads_of_files_that_are_half_in_memory) {
    const directory files;
    const std::string content = pattern(1U << 20U, 7);
    const descriptor file = files.file("a", content);
    posix_fadvise(file.get(), 0, 0, POSIX_FADV_RANDOM); // no read-ahead
    make_cold(file.get());
    std::array<char, 1> byte{};
    for (const long place : {0L, 4096L, 8192L, 40960L}) ASSERT_EQ(pread(file.get(), byte.data(), 1, place), 1);
    EXPECT_TRUE(read_in_two_pieces(file.get(), content.size()) == content);
    EXPECT_EQ(lseek(file.get(), 0, SEEK_CUR), static_cast<long>(content.size()));
}

// What was not in memory at the first look is there at the second: the pieces go on where they were left.
TEST_P(completeness, reads_of_files_that_come_into_memory_meanwhile) {
    const directory files;
    const std::string content = pattern(1U << 20U, 10);
    const descriptor file = files.file("a", content);
    posix_fadvise(file.get(), 0, 0, POSIX_FADV_RANDOM);
    for (int turn = 0; turn < (sanitized ? 30 : 200); ++turn) {
        make_cold(file.get());
        ASSERT_EQ(lseek(file.get(), 0, SEEK_SET), 0);
        std::thread other{[&] {
            std::array<char, 4096> block{};
            for (std::size_t place = 0; place < content.size(); place += block.size())
                EXPECT_EQ(pread(file.get(), block.data(), block.size(), static_cast<long>(place)), 4096);
        }};
        const std::string bytes = read_in_two_pieces(file.get(), content.size());
        other.join();
        ASSERT_TRUE(bytes == content) << "turn " << turn;
    }
}

// socket(7), SO_RCVLOWAT: the least number of bytes before recv() returns, whether or not some are there at the call.
TEST_P(completeness, low_water_mark) {
    const engine_set &set = chosen_engine_set();
    if (!set.has_attempts() && (set.forbid & LAIO_FORBID_ACTIVATIONS) == 0)
        GTEST_SKIP() << "a receive that was left behind is interrupted once, and gives what it has then";
    for (const long number : {SYS_recvfrom, SYS_read}) {
        for (const std::string_view first : {"", "123"}) {
            const descriptor_pair pair = make_tcp_pair();
            const int mark = 10;
            ASSERT_EQ(setsockopt(pair.near.get(), SOL_SOCKET, SO_RCVLOWAT, &mark, sizeof mark), 0);
            std::string bytes(100, '\0');
            write_all(pair.far.get(), first);
            call_record *call = begin(number, pair.near.get(), bytes.data(), bytes.size(), 0, nullptr, nullptr);
            EXPECT_FALSE(call->is_direct());
            wait_until_made(call);
            write_all(pair.far.get(), "4567");
            EXPECT_EQ(collect(20), 0) << "complete below the mark";
            // TCP wakes nobody before the mark is in its queue, whatever the call has taken out of it already.
            write_all(pair.far.get(), "89abcd");
            EXPECT_EQ(finish(call), (outcome{static_cast<long>(first.size()) + 10, 0})) << number << " " << first;
            EXPECT_EQ(bytes.substr(0, first.size() + 10), std::string{first} + "456789abcd");
        }
    }
}

// socket(7), SO_RCVTIMEO and SO_SNDTIMEO: EAGAIN when the time is over and nothing moved, else the count so far.
TEST_P(completeness, socket_timeouts) {
    const descriptor_pair pair = make_unix_pair();
    const timeval limit{0, 20000};
    ASSERT_EQ(setsockopt(pair.near.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    ASSERT_EQ(setsockopt(pair.near.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit), 0);
    std::string bytes(100, '\0');
    EXPECT_EQ(done(SYS_recvfrom, pair.near.get(), bytes.data(), bytes.size(), 0, nullptr, nullptr),
              (outcome{-1, EAGAIN}));
    EXPECT_EQ(done(SYS_read, pair.near.get(), bytes.data(), bytes.size()), (outcome{-1, EAGAIN}));
    write_all(pair.far.get(), "part");
    EXPECT_EQ(done(SYS_recvfrom, pair.near.get(), bytes.data(), bytes.size(), MSG_WAITALL, nullptr, nullptr),
              (outcome{4, 0}));
    fill(pair.near.get());
    EXPECT_EQ(done(SYS_sendto, pair.near.get(), "x", 1, 0, nullptr, 0), (outcome{-1, EAGAIN}));
}

outcome wait_and_receive(const descriptor_pair &pair) {
    char byte = 0;
    call_record *call = begin(SYS_recvfrom, pair.near.get(), &byte, 1, 0, nullptr, nullptr);
    EXPECT_FALSE(call->is_direct());
    write_all(pair.far.get(), "1");
    return finish(call);
}

// laio(7), D4: that a socket has no limit is remembered, until one is set through the library or it is another socket.
TEST_P(completeness, socket_timeout_set_later) {
    descriptor_pair pair = make_unix_pair();
    const timeval limit{0, 20000};
    char byte = 0;
    for (int waits = 0; waits < 3; ++waits) ASSERT_EQ(wait_and_receive(pair), (outcome{1, 0}));
    ASSERT_EQ(laio_syscall(SYS_setsockopt, pair.near.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    EXPECT_EQ(done(SYS_recvfrom, pair.near.get(), &byte, 1, 0, nullptr, nullptr), (outcome{-1, EAGAIN}));

    descriptor_pair first = make_unix_pair();
    ASSERT_EQ(wait_and_receive(first), (outcome{1, 0}));
    const descriptor_pair second = make_unix_pair();
    ASSERT_EQ(setsockopt(second.near.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    const descriptor lives_on{dup(first.near.get())};
    const int number = first.near.get();
    const long replaced =
        set().tells_closes() ? done(SYS_dup2, second.near.get(), number).value : dup2(second.near.get(), number);
    ASSERT_EQ(replaced, number);
    EXPECT_EQ(done(SYS_recvfrom, first.near.get(), &byte, 1, 0, nullptr, nullptr), (outcome{-1, EAGAIN}));
}

constexpr std::size_t gone_size = 32U << 20U; // more than all buffers between the two

// A peer that goes half way: what a blocking write gives, which is the part that went out; the next one gives the error.
outcome write_to_a_peer_that_goes(bool lazily, int length, bool tcp) {
    descriptor_pair pair = tcp ? make_tcp_pair() : make_unix_pair();
    const std::string sent = pattern(gone_size, 8);
    outcome result{};
    const auto leave = [&] {
        EXPECT_EQ(read_all(pair.far.get(), static_cast<std::size_t>(length)).size(), static_cast<std::size_t>(length));
        const linger reset{1, 0};
        EXPECT_EQ(setsockopt(pair.far.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
        pair.far.reset();
    };
    if (lazily) {
        call_record *call = begin(SYS_sendto, pair.near.get(), sent.data(), sent.size(), MSG_NOSIGNAL, nullptr, 0);
        EXPECT_FALSE(call->is_direct());
        std::thread leaver{leave};
        result = finish(call);
        leaver.join();
    } else {
        std::thread leaver{leave};
        result = plain(SYS_sendto, pair.near.get(), sent.data(), sent.size(), MSG_NOSIGNAL, nullptr, 0);
        leaver.join();
    }
    return result;
}

TEST_P(completeness, peer_that_goes_half_way) {
    constexpr int length = 1000000;
    for (const bool tcp : {false, true}) {
        const outcome expected = write_to_a_peer_that_goes(false, length, tcp);
        const outcome seen = write_to_a_peer_that_goes(true, length, tcp);
        ASSERT_GE(expected.value, length) << expected; // the exact number is the moment's
        EXPECT_GE(seen.value, length) << seen;
        EXPECT_LT(seen.value, static_cast<long>(gone_size));
    }
}

// pipe(7): when the reader goes, the bytes that went out are the result, and the next write says EPIPE.
TEST_P(completeness, reader_of_a_pipe_that_goes) {
    pipe_ends ends = make_pipe();
    const std::string sent = pattern(200000, 9);
    call_record *call = begin(SYS_write, ends.writer.get(), sent.data(), sent.size());
    EXPECT_FALSE(call->is_direct());
    EXPECT_EQ(read_all(ends.reader.get(), 100).size(), 100U);
    ends.reader.reset();
    const outcome result = finish(call);
    EXPECT_GE(result.value, 65536) << result;
    EXPECT_LT(result.value, 200000);
    EXPECT_EQ(done(SYS_write, ends.writer.get(), "x", 1), (outcome{-1, EPIPE}));
}

// pipe(7): writes of up to PIPE_BUF bytes are atomic, whole or not at all, also when they had to wait.
TEST_P(completeness, small_writes_to_a_pipe_stay_whole) {
    const pipe_ends ends = make_pipe();
    fill(ends.writer.get());
    const std::string sent(PIPE_BUF, 'a');
    call_record *call = begin(SYS_write, ends.writer.get(), sent.data(), sent.size());
    EXPECT_FALSE(call->is_direct());
    std::thread other{[&] {
        for (int turn = 0; turn < 32; ++turn) write_all(ends.writer.get(), std::string(PIPE_BUF, 'b'));
    }};
    odd_reader reader{ends.reader.get(), 65536 + 33UL * PIPE_BUF};
    EXPECT_EQ(finish(call), (outcome{PIPE_BUF, 0}));
    other.join();
    const std::string after = reader.bytes();
    const std::size_t place = after.find('a');
    ASSERT_NE(place, std::string::npos);
    EXPECT_EQ(after.substr(place, PIPE_BUF), sent);
}

LAIO_CONTRACT_SUITE(completeness);

} // namespace
} // namespace laio::test
