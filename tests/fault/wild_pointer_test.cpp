// Pointers into nowhere, lengths of zero and of everything, one argument at a time, with all others good: the answer is the
// kernel's (EFAULT mostly), what was there to be read is still there, and the call can be made again.
//
// Each is played with the plain call in a forked child and through the library here, and what both saw is compared.
#include "stage.hpp"

#include <climits>
#include <csignal>
#include <cstdint>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

namespace laio::test {
namespace {

class wild_pointers : public contract_test {};

constexpr long low = 8;                                          // never mapped
constexpr long high = static_cast<long>(0x00007ffffffff000UL);   // the last page, the kernel's own guard
constexpr long beyond = static_cast<long>(0x8000000000000000UL); // not canonical
constexpr std::array wild{low, high, beyond, -8L};

// A page that ends where the next one cannot be read: structures that lie across it.
class guarded_page {
public:
    guarded_page()
        : start_{static_cast<char *>(
              mmap(nullptr, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))} {
        EXPECT_EQ(mprotect(start_ + size, size, PROT_NONE), 0);
    }
    ~guarded_page() { munmap(start_, 2 * size); }
    guarded_page(const guarded_page &) = delete;
    guarded_page &operator=(const guarded_page &) = delete;
    [[nodiscard]] char *last(std::size_t bytes) const { return start_ + size - bytes; }

private:
    static constexpr std::size_t size = 4096;
    char *start_;
};

TEST_P(wild_pointers, reads_and_writes) {
    expect_same_as_plain([](stage &s) {
        const descriptor file = s.file("a", pattern(100));
        const pipe_ends ends = make_pipe();
        const descriptor_pair pair = make_unix_pair();
        write_all(ends.writer.get(), "in the pipe");
        write_all(pair.far.get(), "in the socket");
        for (const long pointer : wild) {
            for (const int fd : {file.get(), ends.reader.get(), pair.near.get()}) {
                s.call(SYS_read, fd, pointer, 10);
                s.call(SYS_readv, fd, pointer, 1);
                const iovec piece{reinterpret_cast<void *>(pointer), 10}; // NOLINT(performance-no-int-to-ptr)
                s.call(SYS_readv, fd, &piece, 1);
            }
            for (const int fd : {ends.writer.get(), pair.near.get()}) {
                s.call(SYS_write, fd, pointer, 10);
                s.call(SYS_writev, fd, pointer, 1);
            }
            s.call(SYS_pread64, file.get(), pointer, 10, 0);
            s.call(SYS_preadv, file.get(), pointer, 1, 0, 0);
            s.call(SYS_pwrite64, file.get(), pointer, 10, 0);
            s.call(SYS_sendto, pair.near.get(), pointer, 10, 0, nullptr, 0);
            s.call(SYS_sendmsg, pair.near.get(), pointer, 0);
            s.call(SYS_recvmsg, pair.near.get(), pointer, 0);
            s.call(SYS_sendmmsg, pair.near.get(), pointer, 1, 0);
        }
        s.note("pipe", read_all(ends.reader.get(), 11));
        s.note_content("a");
    });
}

// A wild buffer for data that comes later: found out only then.
TEST_P(wild_pointers, buffers_of_calls_that_wait) {
    expect_same_as_plain([](stage &s) {
        const pipe_ends ends = make_pipe();
        const descriptor_pair pair = make_unix_pair();
        s.call_while([&] { write_all(ends.writer.get(), "late"); }, SYS_read, ends.reader.get(), low, 4);
        s.note("still there", read_all(ends.reader.get(), 4));
        s.call_while([&] { write_all(pair.far.get(), "late"); }, SYS_recvfrom, pair.near.get(), low, 4, 0, nullptr,
                     nullptr);
    });
}

TEST_P(wild_pointers, structures_that_end_in_the_next_page) {
    expect_same_as_plain([](stage &s) {
        const guarded_page page;
        const pipe_ends ends = make_pipe();
        const descriptor_pair pair = make_unix_pair();
        write_all(ends.writer.get(), "12345678901234567890");
        // One vector fits, the second is beyond.
        auto *vectors = reinterpret_cast<iovec *>(page.last(sizeof(iovec)));
        std::array<char, 4> bytes{};
        *vectors = {bytes.data(), bytes.size()};
        s.call(SYS_readv, ends.reader.get(), vectors, 2);
        s.call(SYS_readv, ends.reader.get(), vectors, 1);
        s.call(SYS_writev, pair.near.get(), vectors, 2);
        s.call(SYS_recvmsg, pair.near.get(), page.last(8), 0);
        s.call(SYS_nanosleep, page.last(8), nullptr);
        s.call(SYS_poll, page.last(sizeof(pollfd)), 2, 0);
        // A buffer of which a part can be written.
        s.call(SYS_read, ends.reader.get(), page.last(4), 8);
        s.note("written", std::string_view{page.last(4), 4});
        // A path without an end.
        std::memset(page.last(4), 'p', 4);
        s.call(SYS_openat, AT_FDCWD, page.last(4), O_RDONLY, 0);
        s.call(SYS_stat, page.last(4), nullptr);
    });
}

TEST_P(wild_pointers, sockets) {
    expect_same_as_plain([](stage &s) {
        std::uint16_t port = 0;
        const descriptor listener = listen_tcp(port);
        const descriptor_pair pair = make_unix_pair();
        const descriptor_pair datagrams = make_unix_pair(SOCK_DGRAM);
        std::array<char, 16> bytes{};
        for (const long pointer : wild) {
            write_all(pair.far.get(), "some bytes");
            s.call(SYS_recvfrom, pair.near.get(), pointer, 4, 0, nullptr, nullptr);
            s.call(SYS_recvfrom, pair.near.get(), bytes.data(), 4, 0, bytes.data(), pointer);
            s.call(SYS_sendto, pair.near.get(), "x", 1, 0, pointer, 16);
            s.call(SYS_connect, pair.near.get(), pointer, 16);
            s.call(SYS_bind, pair.near.get(), pointer, 16);
            s.call(SYS_getsockname, pair.near.get(), pointer, pointer);
            s.call(SYS_setsockopt, pair.near.get(), SOL_SOCKET, SO_KEEPALIVE, pointer, 4);
            iovec piece{bytes.data(), bytes.size()};
            msghdr message{};
            message.msg_iov = &piece;
            message.msg_iovlen = 1;
            message.msg_control = reinterpret_cast<void *>(pointer); // NOLINT(performance-no-int-to-ptr)
            message.msg_controllen = 64;
            s.call(SYS_sendmsg, pair.near.get(), &message, 0);
            message.msg_control = nullptr;
            message.msg_controllen = 0;
            message.msg_iov = reinterpret_cast<iovec *>(pointer); // NOLINT(performance-no-int-to-ptr)
            s.call(SYS_sendmsg, pair.near.get(), &message, 0);
            s.call(SYS_recvmsg, pair.near.get(), &message, 0);
            s.call(SYS_recvmmsg, datagrams.near.get(), pointer, 1, MSG_DONTWAIT, nullptr);
        }
        // A connection that waits is not lost by an address that cannot be written.
        const descriptor client = connect_tcp(port);
        wait_until([&] { return is_readable(listener.get()); });
        s.call(SYS_accept4, listener.get(), low, low, 0);
    });
}

TEST_P(wild_pointers, events_time_and_processes) {
    expect_same_as_plain([](stage &s) {
        const pipe_ends ends = make_pipe();
        write_all(ends.writer.get(), "x");
        const descriptor epoll{epoll_create1(EPOLL_CLOEXEC)};
        epoll_event event{};
        event.events = EPOLLIN;
        EXPECT_EQ(epoll_ctl(epoll.get(), EPOLL_CTL_ADD, ends.reader.get(), &event), 0);
        const timespec none{0, 0};
        pollfd item{ends.reader.get(), POLLIN, 0};
        for (const long pointer : wild) {
            s.call(SYS_poll, pointer, 1, 0);
            s.call(SYS_poll, pointer, 1, -1);
            s.call(SYS_ppoll, &item, 1, pointer, nullptr, 0);
            s.call(SYS_ppoll, &item, 1, &none, pointer, 8);
            s.call(SYS_select, 8, pointer, nullptr, nullptr, nullptr);
            s.call(SYS_select, 8, nullptr, nullptr, nullptr, pointer);
            s.call(SYS_pselect6, 0, nullptr, nullptr, nullptr, &none, pointer);
            s.call(SYS_epoll_wait, epoll.get(), pointer, 1, -1);
            s.call(SYS_epoll_ctl, epoll.get(), EPOLL_CTL_MOD, ends.reader.get(), pointer);
            s.call(SYS_nanosleep, pointer, nullptr);
            s.call(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, pointer, nullptr);
            s.call(SYS_clock_gettime, CLOCK_MONOTONIC_RAW, pointer);
            s.call(SYS_futex, pointer, 0 /* FUTEX_WAIT */, 0, nullptr, nullptr, 0);
            s.call(SYS_getrandom, pointer, 8, 0);
            s.call(SYS_pipe2, pointer, 0);
            s.call(SYS_waitid, P_ALL, 0, pointer, WEXITED, nullptr); // no child: ECHILD
        }
        for (const long pointer : wild) {
            const waiting_child child = make_waiting_child();
            EXPECT_EQ(kill(child.pid, SIGKILL), 0);
            siginfo_t info{};
            EXPECT_EQ(waitid(P_PID, static_cast<id_t>(child.pid), &info, WEXITED | WNOWAIT), 0);
            s.call(SYS_wait4, child.pid, pointer, 0, nullptr);
            s.call_for_value(SYS_wait4, child.pid, nullptr, 0,
                             nullptr); // whether it was waited for: as the kernel says
        }
    });
}

TEST_P(wild_pointers, paths_and_status) {
    expect_same_as_plain([](stage &s) {
        const descriptor file = s.file("a", "content");
        const std::string path = s.path("a");
        struct stat status {};
        for (const long pointer : wild) {
            s.call(SYS_open, pointer, O_RDONLY, 0);
            s.call(SYS_openat, AT_FDCWD, pointer, O_RDONLY | O_CREAT, 0600);
            s.call(SYS_openat2, AT_FDCWD, path.c_str(), pointer, 24);
            s.call(SYS_stat, pointer, &status);
            s.call(SYS_stat, path.c_str(), pointer);
            s.call(SYS_fstat, file.get(), pointer);
            s.call(SYS_newfstatat, AT_FDCWD, path.c_str(), pointer, 0);
            s.call(SYS_statx, AT_FDCWD, path.c_str(), 0, STATX_SIZE, pointer);
            s.call(SYS_readlink, path.c_str(), pointer, 10);
            s.call(SYS_rename, path.c_str(), pointer);
            s.call(SYS_unlink, pointer);
            s.call(SYS_mkdir, pointer, 0700);
            s.call(SYS_getcwd, pointer, 100);
            s.call(SYS_fcntl, file.get(), F_SETLKW, pointer);
            s.call(SYS_fcntl, file.get(), F_OFD_SETLKW, pointer);
            s.call(SYS_sendfile, file.get(), file.get(), pointer, 10);
            s.call(SYS_copy_file_range, file.get(), pointer, file.get(), pointer, 10, 0);
            s.call(SYS_getxattr, path.c_str(), pointer, pointer, 10);
        }
        const std::string endless(100000, 'a');
        s.call(SYS_open, endless.c_str(), O_RDONLY, 0);
        s.call(SYS_stat, endless.c_str(), &status);
    });
}

TEST_P(wild_pointers, lengths_of_nothing_and_of_everything) {
    expect_same_as_plain([](stage &s) {
        const descriptor file = s.file("a", pattern(100));
        const pipe_ends ends = make_pipe();
        const descriptor_pair pair = make_unix_pair();
        std::array<char, 128> bytes{};
        const iovec piece{bytes.data(), bytes.size()};
        const iovec huge{bytes.data(), SIZE_MAX};
        s.call(SYS_read, file.get(), nullptr, 0);
        s.call(SYS_write, file.get(), nullptr, 0);
        s.call(SYS_write, ends.writer.get(), nullptr, 0);
        s.call(SYS_read, ends.reader.get(), nullptr, 0); // does not wait
        s.call(SYS_write, pair.near.get(), nullptr, 0);
        s.call(SYS_sendto, pair.near.get(), nullptr, 0, 0, nullptr, 0);
        s.call(SYS_readv, file.get(), nullptr, 0);
        s.call(SYS_writev, pair.near.get(), nullptr, 0);
        s.call(SYS_poll, nullptr, 0, 0);
        s.call(SYS_getrandom, nullptr, 0, 0);
        write_all(ends.writer.get(), "so that no read waits");
        for (const long length : {-1L, LONG_MIN, LONG_MAX}) {
            s.call(SYS_read, file.get(), bytes.data(), length);
            s.call(SYS_read, ends.reader.get(), bytes.data(), length);
            s.call(SYS_write, ends.writer.get(), bytes.data(), length);
            s.call(SYS_readv, file.get(), &piece, length);
            s.call(SYS_pread64, file.get(), bytes.data(), length, 0);
        }
        s.call(SYS_readv, file.get(), &huge, 1);
        s.call(SYS_writev, pair.near.get(), &huge, 1);
        s.call(SYS_readv, file.get(), &piece, IOV_MAX + 1);
        s.call(SYS_poll, bytes.data(), UINT_MAX, 0);
        const timeval none{0, 0};
        s.call(SYS_select, INT_MAX, nullptr, nullptr, nullptr, &none);
        s.call(SYS_epoll_wait, file.get(), bytes.data(), INT_MAX, 0);
        s.call(SYS_lseek, file.get(), LONG_MIN, SEEK_SET);
        s.note_content("a");
    });
}

LAIO_CONTRACT_SUITE(wild_pointers);

} // namespace
} // namespace laio::test
