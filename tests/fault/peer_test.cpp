// Others that misbehave: peers that reset or refuse, children that are killed, files that are truncated or deleted while
// they are read. What the plain call gives is the measure; it is made beside where the moment does not decide.
#include "stage.hpp"

#include <csignal>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace laio::test {
namespace {

class peers : public contract_test {};

void reset(descriptor &peer) {
    const linger at_once{1, 0};
    EXPECT_EQ(setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    peer.reset();
}

TEST_P(peers, reset_while_a_call_waits) {
    expect_same_as_plain([](stage &s) {
        std::array<char, 16> bytes{};
        for (const long number : {SYS_read, SYS_recvfrom}) {
            descriptor_pair pair = make_tcp_pair();
            // The plain call may come after the reset, and finds the same error then.
            s.call_while([&] { reset(pair.far); }, number, pair.near.get(), bytes.data(), bytes.size(), 0, nullptr,
                         nullptr);
            s.call(number, pair.near.get(), bytes.data(), bytes.size(), 0, nullptr, nullptr);
            s.call(SYS_sendto, pair.near.get(), "x", 1, MSG_NOSIGNAL, nullptr, 0);
        }
        descriptor_pair pair = make_tcp_pair();
        fill(pair.near.get());
        s.call_while([&] { reset(pair.far); }, SYS_sendto, pair.near.get(), "x", 1, MSG_NOSIGNAL, nullptr, 0);
    });
}

TEST_P(peers, end_while_a_call_waits) {
    expect_same_as_plain([](stage &s) {
        std::array<char, 16> bytes{};
        descriptor_pair pair = make_unix_pair();
        s.call_while([&] { pair.far.reset(); }, SYS_recvfrom, pair.near.get(), bytes.data(), bytes.size(), MSG_WAITALL,
                     nullptr, nullptr);
        pipe_ends ends = make_pipe();
        s.call_while([&] { ends.writer.reset(); }, SYS_read, ends.reader.get(), bytes.data(), bytes.size());
        ends = make_pipe();
        fill(ends.writer.get());
        s.call_while([&] { ends.reader.reset(); }, SYS_write, ends.writer.get(), "x", 1);
        pair = make_tcp_pair();
        s.call_while([&] { EXPECT_EQ(shutdown(pair.near.get(), SHUT_RD), 0); }, SYS_read, pair.near.get(), bytes.data(),
                     bytes.size());
    });
}

// A terminal that hangs up: 0 for who waits then, EIO for who comes later; which, the moment decides.
TEST_P(peers, terminal_that_hangs_up) {
    descriptor_pair terminal = make_pty();
    char byte = 0;
    call_record *call = begin(SYS_read, terminal.near.get(), &byte, 1);
    EXPECT_FALSE(call->is_direct());
    terminal.far.reset();
    const outcome result = finish(call);
    EXPECT_TRUE(result == (outcome{0, 0}) || result == (outcome{-1, EIO})) << result;
    const outcome expected = plain(SYS_read, terminal.near.get(), &byte, 1);
    EXPECT_EQ(done(SYS_read, terminal.near.get(), &byte, 1), expected);
}

TEST_P(peers, connections_that_are_refused) {
    expect_same_as_plain([](stage &s) {
        std::uint16_t port = 0;
        { const descriptor listener = listen_tcp(port); }
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        for (int turn = 0; turn < 3; ++turn) {
            const descriptor client{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
            s.call(SYS_connect, client.get(), &address, sizeof address);
            s.call(SYS_sendto, client.get(), "x", 1, MSG_NOSIGNAL, nullptr, 0);
        }
    });
}

// accept(2): a connection that is reset before it is accepted is accepted all the same, here on Linux.
TEST_P(peers, connection_that_is_gone_before_it_is_accepted) {
    expect_same_as_plain([](stage &s) {
        std::uint16_t port = 0;
        const descriptor listener = listen_tcp(port);
        descriptor client = connect_tcp(port);
        reset(client);
        wait_until([&] { return is_readable(listener.get()); });
        const descriptor accepted = s.call_for_descriptor(SYS_accept4, listener.get(), nullptr, nullptr, SOCK_CLOEXEC);
        char byte = 0;
        s.call(SYS_read, accepted.get(), &byte, 1);
    });
}

TEST_P(peers, sigpipe_goes_to_the_caller) {
    const auto status_of = [](bool lazily) {
        return in_child([&] {
            std::signal(SIGPIPE, SIG_DFL);
            pipe_ends ends = make_pipe();
            fill(ends.writer.get());
            if (lazily) {
                start_loop();
                call_record *call = begin(SYS_write, ends.writer.get(), "x", 1);
                ends.reader.reset();
                finish(call);
            } else {
                ends.reader.reset();
                plain(SYS_write, ends.writer.get(), "x", 1);
            }
        });
    };
    const int expected = status_of(false);
    EXPECT_TRUE(WIFSIGNALED(expected) && WTERMSIG(expected) == SIGPIPE) << expected;
    EXPECT_EQ(status_of(true), expected);
}

TEST_P(peers, killed_child) {
    expect_same_as_plain([](stage &s) {
        const waiting_child child = make_waiting_child();
        int status = 0;
        siginfo_t info{};
        s.call_while([&] { EXPECT_EQ(kill(child.pid, SIGKILL), 0); }, SYS_waitid, P_PID, child.pid, &info,
                     WEXITED | WNOWAIT, nullptr);
        s.note("code", static_cast<long>(info.si_code));
        s.note("which", static_cast<long>(s.call_for_value(SYS_wait4, child.pid, &status, 0, nullptr) == child.pid));
        s.note("status", static_cast<long>(status));
    });
}

// A file that shrinks under reads: each gives a prefix of what was there, or nothing, and none waits for ever.
TEST_P(peers, file_that_is_truncated_under_reads) {
    const directory files;
    constexpr std::size_t block = 65536;
    constexpr std::size_t count = 16;
    const std::string content = pattern(block * count);
    for (int turn = 0; turn < 5; ++turn) {
        const descriptor file = files.file("a", content);
        make_cold(file.get());
        std::vector<std::string> blocks(count, std::string(block, '\0'));
        std::vector<call_record *> calls;
        std::thread other{[&] { EXPECT_EQ(ftruncate(file.get(), block * count / 2 + 100), 0); }};
        for (std::size_t index = 0; index < count; ++index)
            calls.push_back(begin(SYS_pread64, file.get(), blocks[index].data(), block, index * block));
        finish_all();
        other.join();
        for (std::size_t index = 0; index < count; ++index) {
            const outcome result = calls[index]->result;
            ASSERT_GE(result.value, 0) << result;
            const auto length = static_cast<std::size_t>(result.value);
            ASSERT_TRUE(index < count / 2 ? length == block : length <= block) << "read " << index << ": " << length;
            // Bytes behind the new end may be read as zeros while it moves, as in the plain call.
            for (std::size_t place = 0; place < length; ++place)
                ASSERT_TRUE(blocks[index][place] == content[index * block + place] || blocks[index][place] == '\0');
        }
    }
}

TEST_P(peers, file_that_is_deleted_under_reads) {
    const directory files;
    const std::string content = pattern(1U << 20U);
    const descriptor file = files.file("a", content);
    make_cold(file.get());
    std::string bytes(content.size(), '\0');
    call_record *call = begin(SYS_read, file.get(), bytes.data(), bytes.size());
    EXPECT_EQ(unlink(files.path("a").c_str()), 0);
    EXPECT_EQ(finish(call), (outcome{static_cast<long>(content.size()), 0}));
    EXPECT_TRUE(bytes == content);
    const std::string path = files.path("a");
    EXPECT_EQ(done(SYS_openat, AT_FDCWD, path.c_str(), O_RDONLY, 0), (outcome{-1, ENOENT}));
}

// The descriptors of others: of a closed number, of a file that is not open for this.
TEST_P(peers, descriptors_that_are_not_for_this) {
    expect_same_as_plain([](stage &s) {
        const descriptor file = s.file("a", "content");
        const descriptor reading{open(s.path("a").c_str(), O_RDONLY | O_CLOEXEC)};
        const descriptor writing{open(s.path("a").c_str(), O_WRONLY | O_CLOEXEC)};
        const descriptor path{open(s.path("a").c_str(), O_PATH | O_CLOEXEC)};
        const pipe_ends ends = make_pipe();
        const descriptor socket_made{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        std::array<char, 8> bytes{};
        for (const int fd : {-1, 4000, path.get(), writing.get(), ends.writer.get(), socket_made.get()}) {
            s.call(SYS_read, fd, bytes.data(), 4);
            s.call(SYS_pread64, fd, bytes.data(), 4, 0);
            s.call(SYS_recvfrom, fd, bytes.data(), 4, MSG_DONTWAIT, nullptr, nullptr);
            s.call(SYS_accept4, fd, nullptr, nullptr, 0);
        }
        for (const int fd : {-1, 4000, path.get(), reading.get(), ends.reader.get(), socket_made.get()}) {
            s.call(SYS_write, fd, "x", 1);
            s.call(SYS_sendto, fd, "x", 1, MSG_NOSIGNAL, nullptr, 0);
            s.call(SYS_ftruncate, fd, 3);
            s.call(SYS_fsync, fd);
        }
        s.note_content("a");
    });
}

LAIO_CONTRACT_SUITE(peers);

} // namespace
} // namespace laio::test
