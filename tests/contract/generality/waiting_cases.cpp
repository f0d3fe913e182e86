// More calls that wait, each until somebody else does something beside it: those that other tables make only without waiting.
#include "generality/cases.hpp"

#include <csignal>
#include <cstddef>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace laio::test {
namespace {

void drain(int fd) {
    std::array<char, 65536> bytes{};
    while (is_readable(fd) && read(fd, bytes.data(), bytes.size()) > 0) {}
}

void play_fifo_opens(stage &s) {
    const std::string path = s.path("fifo");
    EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
    for (const int flags : {O_RDONLY, O_WRONLY}) {
        descriptor other;
        const auto come = [&] {
            other = descriptor{open(path.c_str(), (flags == O_RDONLY ? O_WRONLY : O_RDONLY) | O_CLOEXEC)};
        };
        const descriptor opened =
            s.call_for_descriptor_while(come, SYS_openat, AT_FDCWD, path.c_str(), flags | O_CLOEXEC, 0);
        s.note("flags", static_cast<long>(fcntl(opened.get(), F_GETFL) & O_ACCMODE));
    }
}

void play_vectors_wait(stage &s) {
    const pipe_ends ends = make_pipe();
    std::string text = "....";
    const iovec piece{text.data(), text.size()};
    const auto give = [&] { write_all(ends.writer.get(), "late"); };
    s.call_while(give, SYS_readv, ends.reader.get(), &piece, 1);
    s.note("bytes", text);
    fill(ends.writer.get());
    s.call_while([&] { drain(ends.reader.get()); }, SYS_writev, ends.writer.get(), &piece, 1);
    // An old kernel does not have these; the library does then without them what they do.
    if (syscall(SYS_preadv2, -1, &piece, 1, -1, 0, 0) == -1 && errno == ENOSYS) return;
    drain(ends.reader.get());
    s.call_while(give, SYS_preadv2, ends.reader.get(), &piece, 1, -1, 0, 0);
    fill(ends.writer.get());
    s.call_while([&] { drain(ends.reader.get()); }, SYS_pwritev2, ends.writer.get(), &piece, 1, -1, 0, 0);
}

void play_sends_wait(stage &s) {
    const descriptor_pair pair = make_unix_pair();
    const auto take = [&] { drain(pair.far.get()); };
    std::string text = "late";
    iovec piece{text.data(), text.size()};
    mmsghdr message{};
    message.msg_hdr.msg_iov = &piece;
    message.msg_hdr.msg_iovlen = 1;
    fill(pair.near.get());
    s.call_while(take, SYS_sendto, pair.near.get(), "late", 4, 0, nullptr, 0);
    fill(pair.near.get());
    s.call_while(take, SYS_sendmsg, pair.near.get(), &message.msg_hdr, 0);
    fill(pair.near.get());
    s.call_while(take, SYS_sendmmsg, pair.near.get(), &message, 1, 0);
    s.note("length", static_cast<long>(message.msg_len));
}

void play_polls_wait(stage &s) {
    const pipe_ends ends = make_pipe();
    const auto give = [&] { write_all(ends.writer.get(), "x"); };
    pollfd item{ends.reader.get(), POLLIN, 0};
    s.call_while(give, SYS_ppoll, &item, 1, nullptr, nullptr, 8);
    drain(ends.reader.get());
    fd_set readers;
    FD_ZERO(&readers);
    FD_SET(ends.reader.get(), &readers);
    s.call_while(give, SYS_pselect6, ends.reader.get() + 1, &readers, nullptr, nullptr, nullptr, nullptr);
    drain(ends.reader.get());
    const descriptor epoll{epoll_create1(EPOLL_CLOEXEC)};
    epoll_event event{.events = EPOLLIN, .data = {}};
    EXPECT_EQ(epoll_ctl(epoll.get(), EPOLL_CTL_ADD, ends.reader.get(), &event), 0);
    s.call_while(give, SYS_epoll_pwait, epoll.get(), &event, 1, -1, nullptr, 8);
}

void play_pipes_wait(stage &s) {
    const pipe_ends from = make_pipe();
    const pipe_ends to = make_pipe();
    s.call_while([&] { write_all(from.writer.get(), "late"); }, SYS_tee, from.reader.get(), to.writer.get(), 4, 0);
    s.note("bytes", read_all(to.reader.get(), 4));
    std::string text = "late";
    const iovec piece{text.data(), text.size()};
    fill(to.writer.get());
    s.call_while([&] { drain(to.reader.get()); }, SYS_vmsplice, to.writer.get(), &piece, 1, 0);
    const descriptor file = s.file("a", "late");
    fill(to.writer.get());
    s.call_while([&] { drain(to.reader.get()); }, SYS_sendfile, to.writer.get(), file.get(), nullptr, 4);
    fill(to.writer.get());
    s.call_while([&] { drain(to.reader.get()); }, SYS_splice, from.reader.get(), nullptr, to.writer.get(), nullptr, 4,
                 0);
}

// Of another process: one's own locks never wait for each other.
void play_record_lock_waits(stage &s) {
    const descriptor file = s.file("a", "");
    struct flock lock {};
    lock.l_type = F_WRLCK;
    waiting_child holder = make_waiting_child([&] { EXPECT_EQ(fcntl(file.get(), F_SETLK, &lock), 0); });
    s.call(SYS_fcntl, file.get(), F_SETLK, &lock);
    s.call_while([&] { holder.leash.reset(); }, SYS_fcntl, file.get(), F_SETLKW, &lock);
    int status = 0;
    EXPECT_EQ(waitpid(holder.pid, &status, 0), holder.pid);
}

void play_wait4_waits(stage &s) {
    waiting_child child = make_waiting_child();
    int status = 0;
    call_record *call = nullptr;
    if (s.is_lazy()) {
        call = begin(SYS_wait4, child.pid, &status, 0, nullptr);
        EXPECT_FALSE(call->is_direct());
    }
    child.leash.reset();
    const outcome result = call != nullptr ? finish(call) : plain(SYS_wait4, child.pid, &status, 0, nullptr);
    s.note("which", static_cast<long>(result.value == child.pid));
    s.note("status", static_cast<long>(WEXITSTATUS(status)));
}

void play_full_backlog(stage &s) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name =
        "laio-test-backlog-" + std::to_string(getpid()); // no file: a name of its own, behind a zero
    name.copy(address.sun_path + 1, sizeof address.sun_path - 2);
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    const auto *raw = reinterpret_cast<const sockaddr *>(&address);
    const descriptor listener{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    EXPECT_EQ(bind(listener.get(), raw, length), 0);
    EXPECT_EQ(listen(listener.get(), 0), 0);
    std::vector<descriptor> early;
    do early.emplace_back(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    while (connect(early.back().get(), raw, length) == 0);
    const descriptor late{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    descriptor taken;
    s.call_while([&] { taken = descriptor{accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)}; }, SYS_connect,
                 late.get(), &address, length);
}

void play_accept4_waits(stage &s) {
    std::uint16_t port = 0;
    const descriptor listener = listen_tcp(port);
    descriptor client;
    const descriptor accepted = s.call_for_descriptor_while([&] { client = connect_tcp(port); }, SYS_accept4,
                                                            listener.get(), nullptr, nullptr, SOCK_CLOEXEC);
    s.note("flags", static_cast<long>(fcntl(accepted.get(), F_GETFD)));
}

// Closing waits until the peer has everything, as long as SO_LINGER says.
void play_lingering_close(stage &s) {
    descriptor_pair pair = make_tcp_pair();
    const linger patience{1, 1000};
    EXPECT_EQ(setsockopt(pair.near.get(), SOL_SOCKET, SO_LINGER, &patience, sizeof patience), 0);
    pollfd item{pair.near.get(), POLLOUT, 0};
    do fill(pair.near.get()); // again if the peer's buffer grew and took it all
    while (poll(&item, 1, 20) == 1);
    std::array<char, 65536> bytes{};
    const auto take_all = [&] {
        while (read(pair.far.get(), bytes.data(), bytes.size()) > 0) {}
    };
    s.call_while(take_all, SYS_close, pair.near.release());
}

void play_asynchronous_io_waits(stage &s) {
    const pipe_ends ends = make_pipe();
    aio_context_t context = 0;
    EXPECT_EQ(syscall(SYS_io_setup, 8, &context), 0);
    iocb request{};
    request.aio_lio_opcode = IOCB_CMD_POLL;
    request.aio_fildes = static_cast<std::uint32_t>(ends.reader.get());
    request.aio_buf = POLLIN;
    iocb *requests = &request;
    for (const long number : {SYS_io_getevents, SYS_io_pgetevents}) {
        EXPECT_EQ(syscall(SYS_io_submit, context, 1, &requests), 1);
        io_event event{};
        s.call_while([&] { write_all(ends.writer.get(), "x"); }, number, context, 1, 1, &event, nullptr, nullptr);
        s.note("events", static_cast<long>(event.res));
        drain(ends.reader.get());
    }
    EXPECT_EQ(syscall(SYS_io_destroy, context), 0);
}

void play_messages_wait(stage &s) {
    struct {
        long type = 1;
        std::array<char, 4096> text{};
    } message;
    const int queue = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    while (msgsnd(queue, &message, message.text.size(), IPC_NOWAIT) == 0) {}
    s.call_while([&] { EXPECT_GT(msgrcv(queue, &message, message.text.size(), 0, 0), 0); }, SYS_msgsnd, queue, &message,
                 message.text.size(), 0);
    EXPECT_EQ(msgctl(queue, IPC_RMID, nullptr), 0);
    const int set = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
    sembuf up{0, 1, 0};
    sembuf down{0, -1, 0};
    const timespec long_time{1000, 0};
    s.call_while([&] { EXPECT_EQ(semop(set, &up, 1), 0); }, SYS_semtimedop, set, &down, 1, &long_time);
    EXPECT_EQ(semctl(set, 0, IPC_RMID), 0);
}

void play_futex_waitv_waits(stage &s) {
    alignas(4) static unsigned word;
    word = 0;
    futex_waitv wait{};
    wait.uaddr = reinterpret_cast<std::uintptr_t>(&word);
    wait.flags = FUTEX_32 | FUTEX_PRIVATE_FLAG;
    const auto wake = [] { // the waiter may not be asleep yet: until one was there
        wait_until([] { return syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0) == 1; });
    };
    s.call_while(wake, SYS_futex_waitv, &wait, 1, 0, nullptr, CLOCK_MONOTONIC);
}

void play_event_files_wait(stage &s) {
    const descriptor timer{timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)};
    std::uint64_t count = 0;
    const itimerspec soon{{0, 0}, {0, 1}};
    s.call_while([&] { EXPECT_EQ(timerfd_settime(timer.get(), 0, &soon, nullptr), 0); }, SYS_read, timer.get(), &count,
                 sizeof count);
    s.note("count", static_cast<long>(count));
    sigset_t set{};
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigset_t before{};
    EXPECT_EQ(pthread_sigmask(SIG_BLOCK, &set, &before), 0);
    {
        const descriptor signals{signalfd(-1, &set, SFD_CLOEXEC)};
        signalfd_siginfo info{};
        s.call_while([] { EXPECT_EQ(kill(getpid(), SIGUSR2), 0); }, SYS_read, signals.get(), &info, sizeof info);
        s.note("signal", static_cast<long>(info.ssi_signo));
    }
    EXPECT_EQ(pthread_sigmask(SIG_SETMASK, &before, nullptr), 0);
    const descriptor_pair terminal = make_pty();
    std::array<char, 4> bytes{};
    s.call_while([&] { write_all(terminal.far.get(), "late"); }, SYS_read, terminal.near.get(), bytes.data(),
                 bytes.size());
    if (!chosen_engine_set().has_pidfd()) return;
    waiting_child child = make_waiting_child();
    const descriptor process{static_cast<int>(syscall(SYS_pidfd_open, child.pid, 0))};
    pollfd item{process.get(), POLLIN, 0};
    s.call_while([&] { child.leash.reset(); }, SYS_poll, &item, 1, -1);
    s.note("events", static_cast<long>(item.revents));
    EXPECT_EQ(waitpid(child.pid, nullptr, 0), child.pid);
}

} // namespace

std::span<const generality_case> waiting_cases() {
    static const std::vector<generality_case> cases{
        {"fifo_opens", {SYS_openat}, play_fifo_opens, false, true},
        {"vectors_wait", {SYS_readv, SYS_writev}, play_vectors_wait, false, true},
        {"sends_wait", {SYS_sendto, SYS_sendmsg, SYS_sendmmsg}, play_sends_wait, false, true},
        {"polls_wait", {SYS_ppoll, SYS_pselect6, SYS_epoll_pwait}, play_polls_wait, false, true},
        {"pipes_wait", {SYS_tee, SYS_vmsplice, SYS_sendfile, SYS_splice}, play_pipes_wait, false, true},
        {"record_lock_waits", {SYS_fcntl}, play_record_lock_waits, false, true},
        {"wait4_waits", {}, play_wait4_waits, false, true},
        {"full_backlog", {SYS_connect}, play_full_backlog, false, true},
        {"accept4_waits", {SYS_accept4}, play_accept4_waits, false, true},
        {"lingering_close", {SYS_close}, play_lingering_close, false, true},
        {"asynchronous_io_waits", {SYS_io_getevents, SYS_io_pgetevents}, play_asynchronous_io_waits, false, true},
        {"messages_wait", {SYS_msgsnd, SYS_semtimedop}, play_messages_wait, false, true},
        {"futex_waitv_waits", {SYS_futex_waitv}, play_futex_waitv_waits, false, true},
        {"event_files_wait", {SYS_read}, play_event_files_wait, false, true},
    };
    return cases;
}

} // namespace laio::test
