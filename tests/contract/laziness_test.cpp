// Lazy: a call that does not block returns as syscall(2) does, and leaves nothing behind: no operation, no handle, no
// thread, no submission to io_uring (laio(7); laio_syscall(3): "If the call does not block, it returns just as syscall()").
//
// What each engine set cannot do is skipped aloud. Without activations: without attempts nothing that may block returns
// directly, without RWF_NOWAIT no read(2) of a file does, without RESOLVE_CACHED no open(2). Every call of the table, for the
// sets with activations, is in laziness/.
#include "harness.hpp"

#include <cstddef>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

namespace laio::test {
namespace {

class laziness : public contract_test {
protected:
    void SetUp() override {
        contract_test::SetUp();
        if (IsSkipped()) return;
        EXPECT_EQ(done(SYS_access, "/", 0), (outcome{0, 0})); // the first that needs activations makes their threads
        before_ = stats_now();
        threads_before_ = threads();
    }

    // Whatever returns at once does so in place.
    [[nodiscard]] bool has_activations() const { return (before_.engines & LAIO_ENGINE_ACTIVATIONS) != 0; }

    // Makes a call that must return directly, and looks for what it must not leave.
    template <class... argument> outcome direct(long number, argument... values) {
        call_record *call = begin(number, values...);
        EXPECT_TRUE(call->is_direct()) << "call " << number << " went to the background";
        EXPECT_EQ(laio_gethandle(), nullptr);
        EXPECT_EQ(laio_outstanding(), 0);
        const struct laio_stats now = stats_now();
        EXPECT_EQ(now.ring_submitted, before_.ring_submitted);
        EXPECT_EQ(now.carriers_created, before_.carriers_created);
        EXPECT_EQ(now.queued, before_.queued);
        EXPECT_EQ(threads(), threads_before_);
        return finish(call);
    }

private:
    struct laio_stats before_ {};
    std::size_t threads_before_ = 0;
};

constexpr outcome failed(int error) { return {-1, error}; }

#define NEEDS_ATTEMPTS()                                                                                               \
    if (!set().has_attempts() && !has_activations())                                                                   \
    GTEST_SKIP() << "neither attempts nor activations in this set: every call that may block is queued"
#define NEEDS_NOWAIT()                                                                                                 \
    if (!set().has_nowait() && !has_activations()) GTEST_SKIP() << "no RWF_NOWAIT in this set"

TEST_P(laziness, calls_that_cannot_block) {
    EXPECT_EQ(direct(SYS_getpid).value, getpid());
    EXPECT_EQ(direct(SYS_getuid).value, getuid());
    timespec now{};
    EXPECT_EQ(direct(SYS_clock_gettime, CLOCK_MONOTONIC, &now).value, 0);
    const pipe_ends ends = make_pipe();
    EXPECT_EQ(direct(SYS_fcntl, ends.reader.get(), F_GETFL).value, O_RDONLY);
    EXPECT_GE(direct(SYS_umask, 022).value, 0);
    std::array<int, 2> made{};
    EXPECT_EQ(direct(SYS_pipe2, made.data(), O_CLOEXEC).value, 0);
    const descriptor reader{made[0]};
    const descriptor writer{made[1]};
    const descriptor socket{static_cast<int>(direct(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0).value)};
    EXPECT_GE(socket.get(), 0);
    EXPECT_EQ(direct(SYS_listen, socket.get(), 5).value, 0);
    EXPECT_EQ(direct(1000000), failed(ENOSYS));
}

TEST_P(laziness, read_of_a_pipe_with_data) {
    NEEDS_ATTEMPTS();
    NEEDS_NOWAIT();
    const pipe_ends ends = make_pipe();
    write_all(ends.writer.get(), "0123456789");
    std::array<char, 4> bytes{};
    EXPECT_EQ(direct(SYS_read, ends.reader.get(), bytes.data(), bytes.size()).value, 4);
    const iovec piece{bytes.data(), bytes.size()};
    EXPECT_EQ(direct(SYS_readv, ends.reader.get(), &piece, 1).value, 4);
    EXPECT_EQ(direct(SYS_read, ends.reader.get(), bytes.data(), bytes.size()).value, 2); // read(2): what there is
}

TEST_P(laziness, write_to_a_pipe_with_room) {
    NEEDS_ATTEMPTS();
    NEEDS_NOWAIT();
    const pipe_ends ends = make_pipe();
    EXPECT_EQ(direct(SYS_write, ends.writer.get(), "ab", 2).value, 2);
    std::string text = "cd";
    const iovec piece{text.data(), text.size()};
    EXPECT_EQ(direct(SYS_writev, ends.writer.get(), &piece, 1).value, 2);
    EXPECT_EQ(read_all(ends.reader.get(), 4), "abcd");
}

TEST_P(laziness, sockets_with_data_and_room) {
    NEEDS_ATTEMPTS();
    for (const bool tcp : {false, true}) {
        const descriptor_pair pair = tcp ? make_tcp_pair() : make_unix_pair();
        EXPECT_EQ(direct(SYS_sendto, pair.near.get(), "out", 3, 0, nullptr, 0).value, 3);
        EXPECT_EQ(read_all(pair.far.get(), 3), "out");
        write_all(pair.far.get(), "0123456789");
        wait_until([&] { return is_readable(pair.near.get()); });
        std::array<char, 4> bytes{};
        EXPECT_EQ(direct(SYS_recvfrom, pair.near.get(), bytes.data(), 4, 0, nullptr, nullptr).value, 4);
        iovec piece{bytes.data(), bytes.size()};
        msghdr message{};
        message.msg_iov = &piece;
        message.msg_iovlen = 1;
        EXPECT_EQ(direct(SYS_recvmsg, pair.near.get(), &message, 0).value, 4);
        EXPECT_EQ(
            direct(SYS_recvfrom, pair.near.get(), bytes.data(), 2, MSG_WAITALL | MSG_PEEK, nullptr, nullptr).value, 2);
        EXPECT_EQ(direct(SYS_recvfrom, pair.near.get(), bytes.data(), 2, MSG_WAITALL, nullptr, nullptr).value, 2);
    }
}

TEST_P(laziness, read_and_write_of_sockets) {
    NEEDS_ATTEMPTS();
    NEEDS_NOWAIT();
    const descriptor_pair pair = make_unix_pair();
    EXPECT_EQ(direct(SYS_write, pair.near.get(), "out", 3).value, 3);
    EXPECT_EQ(read_all(pair.far.get(), 3), "out");
    write_all(pair.far.get(), "in");
    std::array<char, 8> bytes{};
    EXPECT_EQ(direct(SYS_read, pair.near.get(), bytes.data(), bytes.size()).value, 2);
}

TEST_P(laziness, many_messages_that_are_there) {
    NEEDS_ATTEMPTS();
    const descriptor_pair pair = make_unix_pair(SOCK_DGRAM);
    ASSERT_EQ(send(pair.far.get(), "one", 3, 0), 3);
    ASSERT_EQ(send(pair.far.get(), "two", 3, 0), 3);
    std::array<char, 8> first{};
    std::array<char, 8> second{};
    std::array<iovec, 2> pieces{iovec{first.data(), first.size()}, iovec{second.data(), second.size()}};
    std::array<mmsghdr, 2> messages{};
    for (std::size_t index = 0; index < messages.size(); ++index) {
        messages[index].msg_hdr.msg_iov = &pieces[index];
        messages[index].msg_hdr.msg_iovlen = 1;
    }
    EXPECT_EQ(direct(SYS_recvmmsg, pair.near.get(), messages.data(), 2, 0, nullptr).value, 2);
}

TEST_P(laziness, cached_pread) {
    NEEDS_ATTEMPTS();
    NEEDS_NOWAIT();
    const directory files;
    if (files.on_tmpfs() && !has_activations())
        GTEST_SKIP() << "tmpfs refuses RWF_NOWAIT: set LAIO_TEST_DIR to a folder on a disk";
    const descriptor file = files.file("a", pattern(16384));
    std::string bytes(4096, '\0');
    ASSERT_EQ(pread(file.get(), bytes.data(), bytes.size(), 4096), 4096);
    bytes.assign(4096, '\0');
    EXPECT_EQ(direct(SYS_pread64, file.get(), bytes.data(), bytes.size(), 4096).value, 4096);
    EXPECT_EQ(bytes, pattern(16384).substr(4096, 4096));
    EXPECT_EQ(direct(SYS_read, file.get(), bytes.data(), bytes.size()).value, 4096);
    EXPECT_EQ(lseek(file.get(), 0, SEEK_CUR), 4096);
    EXPECT_EQ(direct(SYS_pread64, file.get(), bytes.data(), bytes.size(), 16384).value, 0); // the end
    EXPECT_EQ(direct(SYS_pread64, file.get(), bytes.data(), bytes.size(), 16000).value, 384);
}

TEST_P(laziness, cached_open) {
    NEEDS_ATTEMPTS();
    if (!set().has_cached_open() && !has_activations()) GTEST_SKIP() << "no openat2(RESOLVE_CACHED) in this set";
    const directory files;
    files.file("a", "content");
    const std::string path = files.path("a");
    { const descriptor warm{open(path.c_str(), O_RDONLY | O_CLOEXEC)}; }
    const descriptor opened{
        static_cast<int>(direct(SYS_openat, AT_FDCWD, path.c_str(), O_RDONLY | O_CLOEXEC, 0).value)};
    EXPECT_EQ(read_all(opened.get(), 100), "content");
    const descriptor again{static_cast<int>(direct(SYS_open, path.c_str(), O_RDONLY | O_CLOEXEC, 0).value)};
    EXPECT_GE(again.get(), 0);
}

TEST_P(laziness, free_locks) {
    NEEDS_ATTEMPTS();
    const directory files;
    const descriptor file = files.file("a", "");
    EXPECT_EQ(direct(SYS_flock, file.get(), LOCK_EX).value, 0);
    EXPECT_EQ(direct(SYS_flock, file.get(), LOCK_UN).value, 0);
    struct flock lock {};
    lock.l_type = F_WRLCK;
    EXPECT_EQ(direct(SYS_fcntl, file.get(), F_SETLKW, &lock).value, 0);
    lock.l_type = F_UNLCK;
    EXPECT_EQ(direct(SYS_fcntl, file.get(), F_SETLKW, &lock).value, 0);
    lock.l_type = F_RDLCK;
    EXPECT_EQ(direct(SYS_fcntl, file.get(), F_OFD_SETLKW, &lock).value, 0);
    lock.l_type = F_UNLCK;
    EXPECT_EQ(direct(SYS_fcntl, file.get(), F_OFD_SETLKW, &lock).value, 0);
}

TEST_P(laziness, dead_children) {
    NEEDS_ATTEMPTS();
    const pid_t pid = fork();
    if (pid == 0) _exit(3);
    siginfo_t info{};
    ASSERT_EQ(waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
    EXPECT_EQ(direct(SYS_waitid, P_PID, pid, &info, WEXITED | WNOWAIT, nullptr).value, 0);
    int status = 0;
    EXPECT_EQ(direct(SYS_wait4, pid, &status, 0, nullptr).value, pid);
    EXPECT_EQ(WEXITSTATUS(status), 3);
    EXPECT_EQ(direct(SYS_wait4, pid, &status, 0, nullptr), failed(ECHILD));
}

TEST_P(laziness, events_that_are_there) {
    NEEDS_ATTEMPTS();
    const pipe_ends ends = make_pipe();
    write_all(ends.writer.get(), "x");
    pollfd item{ends.reader.get(), POLLIN, 0};
    EXPECT_EQ(direct(SYS_poll, &item, 1, -1).value, 1);
    EXPECT_EQ(direct(SYS_ppoll, &item, 1, nullptr, nullptr, 0).value, 1);
    fd_set readers;
    FD_ZERO(&readers);
    FD_SET(ends.reader.get(), &readers);
    EXPECT_EQ(direct(SYS_select, ends.reader.get() + 1, &readers, nullptr, nullptr, nullptr).value, 1);
    EXPECT_EQ(direct(SYS_pselect6, ends.reader.get() + 1, &readers, nullptr, nullptr, nullptr, nullptr).value, 1);
    const descriptor epoll{epoll_create1(EPOLL_CLOEXEC)};
    epoll_event event{};
    event.events = EPOLLIN;
    EXPECT_EQ(direct(SYS_epoll_ctl, epoll.get(), EPOLL_CTL_ADD, ends.reader.get(), &event).value, 0);
    EXPECT_EQ(direct(SYS_epoll_wait, epoll.get(), &event, 1, -1).value, 1);
    EXPECT_EQ(direct(SYS_epoll_pwait, epoll.get(), &event, 1, -1, nullptr, 8).value, 1);
    // With no time to wait they cannot block, ready or not.
    item.fd = -1;
    EXPECT_EQ(direct(SYS_poll, &item, 1, 0).value, 0);
}

TEST_P(laziness, getrandom) {
    NEEDS_ATTEMPTS();
    std::array<char, 32> bytes{};
    EXPECT_EQ(direct(SYS_getrandom, bytes.data(), bytes.size(), 0).value, 32);
}

TEST_P(laziness, ends_of_streams) {
    NEEDS_ATTEMPTS();
    descriptor_pair pair = make_unix_pair();
    std::array<char, 4> bytes{};
    pair.far.reset();
    EXPECT_EQ(direct(SYS_recvfrom, pair.near.get(), bytes.data(), bytes.size(), 0, nullptr, nullptr).value, 0);
    EXPECT_EQ(direct(SYS_sendto, pair.near.get(), "x", 1, 0, nullptr, 0), failed(EPIPE));
    NEEDS_NOWAIT();
    pipe_ends ends = make_pipe();
    ends.writer.reset();
    EXPECT_EQ(direct(SYS_read, ends.reader.get(), bytes.data(), bytes.size()).value, 0);
    ends = make_pipe();
    ends.reader.reset();
    EXPECT_EQ(direct(SYS_write, ends.writer.get(), "x", 1), failed(EPIPE));
}

TEST_P(laziness, errors) {
    NEEDS_ATTEMPTS();
    std::array<char, 4> bytes{};
    const descriptor_pair pair = make_unix_pair();
    EXPECT_EQ(direct(SYS_recvfrom, -1, bytes.data(), 4, 0, nullptr, nullptr), failed(EBADF));
    EXPECT_EQ(direct(SYS_sendto, pair.near.get(), 8, 4, 0, nullptr, 0), failed(EFAULT));
    const pipe_ends ends = make_pipe();
    EXPECT_EQ(direct(SYS_recvfrom, ends.reader.get(), bytes.data(), 4, 0, nullptr, nullptr), failed(ENOTSOCK));
    EXPECT_EQ(direct(SYS_flock, -1, LOCK_EX), failed(EBADF));
    EXPECT_EQ(direct(SYS_poll, 8, 1, 0), failed(EFAULT));
    const timespec nonsense{0, -1};
    EXPECT_EQ(direct(SYS_nanosleep, &nonsense, nullptr), failed(EINVAL));
    EXPECT_EQ(direct(SYS_nanosleep, 8, nullptr), failed(EFAULT));
    NEEDS_NOWAIT();
    EXPECT_EQ(direct(SYS_read, -1, bytes.data(), 4), failed(EBADF));
    EXPECT_EQ(direct(SYS_write, ends.reader.get(), "x", 1), failed(EBADF));
    EXPECT_EQ(direct(SYS_write, ends.writer.get(), 8, 4), failed(EFAULT));
    EXPECT_EQ(direct(SYS_readv, ends.reader.get(), nullptr, -1), failed(EINVAL));
}

// open(2): a descriptor with O_NONBLOCK keeps its own rules, in every set: there is nothing to attempt.
TEST_P(laziness, nonblocking_descriptors_say_eagain) {
    if (!chosen_engine_set().has_nonblocking()) GTEST_SKIP() << "LAIO_ASSUME_BLOCKING: no descriptor has O_NONBLOCK";
    const descriptor_pair pair = make_unix_pair();
    set_nonblocking(pair.near.get());
    std::array<char, 4> bytes{};
    EXPECT_EQ(done(SYS_read, pair.near.get(), bytes.data(), bytes.size()), failed(EAGAIN));
    EXPECT_EQ(done(SYS_recvfrom, pair.near.get(), bytes.data(), bytes.size(), 0, nullptr, nullptr), failed(EAGAIN));
    EXPECT_EQ(done(SYS_recvfrom, pair.far.get(), bytes.data(), bytes.size(), MSG_DONTWAIT, nullptr, nullptr),
              failed(EAGAIN));
}

// Whatever the loop learned from the last call on a descriptor, the next one is direct exactly when it is ready.
TEST_P(laziness, ready_and_not_ready_in_turns) {
    const pipe_ends ends = make_pipe();
    const descriptor_pair pair = make_unix_pair();
    const std::array<std::array<int, 2>, 2> channels{
        {{ends.reader.get(), ends.writer.get()}, {pair.near.get(), pair.far.get()}}};
    for (const auto &[reader, writer] : channels) {
        for (unsigned turn = 0; turn < 64; ++turn) {
            const bool ready = (0x96a5c3f0U >> turn % 32 & 1) != 0;
            const std::string sent = pattern(turn + 1);
            std::string got(64, '\0');
            if (ready) write_all(writer, sent);
            call_record *call = begin(SYS_read, reader, got.data(), got.size());
            if (set().has_attempts() || has_activations()) { ASSERT_EQ(call->is_direct(), ready) << turn; }
            if (!ready) write_all(writer, sent);
            ASSERT_EQ(finish(call), (outcome{static_cast<long>(sent.size()), 0})) << turn;
            ASSERT_EQ(got.substr(0, sent.size()), sent) << turn;
        }
        EXPECT_EQ(laio_outstanding(), 0);
    }
}

LAIO_CONTRACT_SUITE(laziness);

} // namespace
} // namespace laio::test
