// What a descriptor refers to, on one descriptor of every kind, against what fstat(2) and the makers of these files
// say.
#include "kernel/file.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <vector>

namespace {

using laio::file_identity;
using laio::file_kind;
using laio::identify;

// Descriptors and a folder, all gone at the end.
class files : public testing::Test {
protected:
    files() {
        std::string name = std::filesystem::temp_directory_path() / "laio-file-XXXXXX";
        EXPECT_NE(mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    ~files() override {
        for (const int each : open_) close(each);
        std::filesystem::remove_all(folder_);
    }

    int keep(int descriptor) {
        EXPECT_GE(descriptor, 0) << std::strerror(errno);
        if (descriptor >= 0) open_.push_back(descriptor);
        return descriptor;
    }
    void drop(int descriptor) {
        close(descriptor);
        std::erase(open_, descriptor);
    }
    struct two {
        int first;
        int second;
    };
    two make_pipe(int flags = 0) {
        int ends[2]{-1, -1};
        EXPECT_EQ(pipe2(ends, flags), 0);
        return {keep(ends[0]), keep(ends[1])};
    }
    two make_sockets(int type = SOCK_STREAM) {
        int ends[2]{-1, -1};
        EXPECT_EQ(socketpair(AF_UNIX, type, 0, ends), 0);
        return {keep(ends[0]), keep(ends[1])};
    }
    [[nodiscard]] std::string path(const char *name) const { return folder_ + "/" + name; }
    int make_file(const char *name, int flags = O_RDWR) {
        return keep(open(path(name).c_str(), flags | O_CREAT, 0600));
    }

private:
    std::string folder_;
    std::vector<int> open_;
};

file_kind kind_of(int descriptor) {
    file_identity identity{};
    EXPECT_EQ(identify(descriptor, identity), 0);
    return identity.kind;
}

TEST_F(files, are_of_their_kind) {
    EXPECT_EQ(kind_of(make_file("regular")), file_kind::regular);
    EXPECT_EQ(kind_of(keep(open(path(".").c_str(), O_RDONLY | O_DIRECTORY))), file_kind::directory);
    EXPECT_EQ(kind_of(keep(open("/dev/null", O_RDWR))), file_kind::character);
    EXPECT_EQ(kind_of(make_pipe().first), file_kind::pipe);
    EXPECT_EQ(kind_of(make_pipe().second), file_kind::pipe);
    ASSERT_EQ(mkfifo(path("fifo").c_str(), 0600), 0);
    EXPECT_EQ(kind_of(keep(open(path("fifo").c_str(), O_RDWR))), file_kind::pipe);
    EXPECT_EQ(kind_of(make_sockets().first), file_kind::socket);
    EXPECT_EQ(kind_of(make_sockets(SOCK_DGRAM).second), file_kind::socket);
    EXPECT_EQ(kind_of(keep(socket(AF_INET, SOCK_STREAM, 0))), file_kind::socket);
}

TEST_F(files, are_of_their_kind_when_only_their_place_is_open) {
    make_file("regular");
    EXPECT_EQ(kind_of(keep(open(path("regular").c_str(), O_PATH))), file_kind::regular);
    ASSERT_EQ(symlink("nowhere", path("link").c_str()), 0);
    EXPECT_EQ(kind_of(keep(open(path("link").c_str(), O_PATH | O_NOFOLLOW))), file_kind::link);
    ASSERT_EQ(mkfifo(path("fifo").c_str(), 0600), 0);
    EXPECT_EQ(kind_of(keep(open(path("fifo").c_str(), O_PATH))), file_kind::pipe);
}

TEST_F(files, without_a_type_are_anonymous) {
    sigset_t none;
    sigemptyset(&none);
    EXPECT_EQ(kind_of(keep(eventfd(0, 0))), file_kind::anonymous);
    EXPECT_EQ(kind_of(keep(epoll_create1(0))), file_kind::anonymous);
    EXPECT_EQ(kind_of(keep(timerfd_create(CLOCK_MONOTONIC, 0))), file_kind::anonymous);
    EXPECT_EQ(kind_of(keep(signalfd(-1, &none, 0))), file_kind::anonymous);
}

TEST_F(files, that_are_disks_are_block_devices) {
    std::error_code error;
    for (const auto &entry : std::filesystem::directory_iterator("/dev", error)) {
        if (!entry.is_block_file(error)) continue;
        EXPECT_EQ(kind_of(keep(open(entry.path().c_str(), O_PATH))), file_kind::block);
        return;
    }
    GTEST_SKIP() << "no block device in /dev";
}

TEST_F(files, have_a_device_and_links) {
    const int file = make_file("one");
    struct stat status {};
    ASSERT_EQ(fstat(file, &status), 0);
    file_identity identity{};
    ASSERT_EQ(identify(file, identity), 0);
    EXPECT_EQ(identity.device_major, major(status.st_dev));
    EXPECT_EQ(identity.device_minor, minor(status.st_dev));
    EXPECT_EQ(identity.links, 1U);
    ASSERT_EQ(link(path("one").c_str(), path("two").c_str()), 0);
    ASSERT_EQ(identify(file, identity), 0);
    EXPECT_EQ(identity.links, 2U);
    unlink(path("one").c_str());
    unlink(path("two").c_str());
    ASSERT_EQ(identify(file, identity), 0);
    EXPECT_EQ(identity.links, 0U) << "a file without a name";
    EXPECT_EQ(identity.kind, file_kind::regular);
}

TEST_F(files, that_are_not_open_have_no_identity) {
    const int closed = make_file("closed");
    drop(closed);
    const file_identity untouched{file_kind::link, 77, 78, 79};
    for (const int descriptor : {closed, -1, AT_FDCWD, INT_MIN, INT_MAX}) {
        file_identity identity = untouched;
        EXPECT_EQ(identify(descriptor, identity), -EBADF) << descriptor;
        EXPECT_EQ(identity.kind, untouched.kind) << descriptor;
        EXPECT_EQ(identity.links, untouched.links) << descriptor;
        EXPECT_EQ(laio::status_flags(descriptor), -EBADF) << descriptor;
        EXPECT_FALSE(laio::is_nonblocking(descriptor)) << descriptor;
    }
}

TEST_F(files, tell_their_status_flags) {
    const int appended = make_file("appended", O_WRONLY | O_APPEND);
    EXPECT_EQ(laio::status_flags(appended) & (O_ACCMODE | O_APPEND), O_WRONLY | O_APPEND);
    EXPECT_EQ(laio::status_flags(make_file("read", O_RDONLY)) & (O_ACCMODE | O_APPEND), O_RDONLY);
    EXPECT_NE(laio::status_flags(keep(open(path("read").c_str(), O_PATH))) & O_PATH, 0);
}

TEST_F(files, are_nonblocking_as_long_as_they_are_set_so) {
    const int reader = make_pipe().first;
    EXPECT_FALSE(laio::is_nonblocking(reader));
    ASSERT_EQ(fcntl(reader, F_SETFL, O_NONBLOCK), 0);
    EXPECT_TRUE(laio::is_nonblocking(reader));
    ASSERT_EQ(fcntl(reader, F_SETFL, 0), 0);
    EXPECT_FALSE(laio::is_nonblocking(reader));
    EXPECT_TRUE(laio::is_nonblocking(make_pipe(O_NONBLOCK).second));
}

TEST_F(files, are_ready_when_poll_says_so) {
    const auto [reader, writer] = make_pipe(O_NONBLOCK);
    EXPECT_FALSE(laio::is_ready(reader, POLLIN));
    EXPECT_TRUE(laio::is_ready(writer, POLLOUT));
    ASSERT_EQ(write(writer, "x", 1), 1);
    EXPECT_TRUE(laio::is_ready(reader, POLLIN));
    char byte = 0;
    ASSERT_EQ(read(reader, &byte, 1), 1) << "looking took nothing away";
    EXPECT_FALSE(laio::is_ready(reader, POLLIN));
    const std::vector<char> much(65'536);
    while (write(writer, much.data(), much.size()) > 0) {}
    EXPECT_FALSE(laio::is_ready(writer, POLLOUT));
}

TEST_F(files, are_ready_when_their_other_end_is_gone) {
    const auto [reader, writer] = make_pipe();
    drop(writer);
    EXPECT_TRUE(laio::is_ready(reader, POLLIN)) << "a read would not wait";
    const auto [near, far] = make_sockets();
    EXPECT_FALSE(laio::is_ready(near, POLLIN));
    drop(far);
    EXPECT_TRUE(laio::is_ready(near, POLLIN));
}

TEST_F(files, that_are_sockets_have_options) {
    int value = -1;
    const int datagrams = make_sockets(SOCK_DGRAM).first;
    EXPECT_EQ(laio::socket_option(datagrams, SO_TYPE, value), 0);
    EXPECT_EQ(value, SOCK_DGRAM);
    const int listener = keep(socket(AF_INET, SOCK_STREAM, 0));
    EXPECT_EQ(laio::socket_option(listener, SO_ACCEPTCONN, value), 0);
    EXPECT_EQ(value, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(bind(listener, reinterpret_cast<const sockaddr *>(&address), sizeof address), 0);
    ASSERT_EQ(listen(listener, 1), 0);
    EXPECT_EQ(laio::socket_option(listener, SO_ACCEPTCONN, value), 0);
    EXPECT_EQ(value, 1);

    EXPECT_EQ(laio::socket_option(make_pipe().first, SO_TYPE, value), -ENOTSOCK);
    EXPECT_EQ(laio::socket_option(-1, SO_TYPE, value), -EBADF);
    EXPECT_EQ(laio::socket_option(datagrams, 0x7ffe, value), -ENOPROTOOPT);
}

TEST_F(files, that_are_sockets_have_timeouts_each_way) {
    const int socket_end = make_sockets().first;
    EXPECT_EQ(laio::socket_timeout_ns(socket_end, SO_RCVTIMEO), 0);
    EXPECT_EQ(laio::socket_timeout_ns(socket_end, SO_SNDTIMEO), 0);
    timeval time{2, 500'000}; // a whole number of ticks of any kernel
    ASSERT_EQ(setsockopt(socket_end, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time), 0);
    EXPECT_EQ(laio::socket_timeout_ns(socket_end, SO_RCVTIMEO), 2'500'000'000);
    EXPECT_EQ(laio::socket_timeout_ns(socket_end, SO_SNDTIMEO), 0);
    time = {10'000, 0}; // more nanoseconds than 32 bits hold
    ASSERT_EQ(setsockopt(socket_end, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time), 0);
    EXPECT_EQ(laio::socket_timeout_ns(socket_end, SO_SNDTIMEO), 10'000'000'000'000);
    time = {0, 0};
    ASSERT_EQ(setsockopt(socket_end, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time), 0);
    EXPECT_EQ(laio::socket_timeout_ns(socket_end, SO_RCVTIMEO), 0);

    EXPECT_EQ(laio::socket_timeout_ns(make_pipe().first, SO_RCVTIMEO), 0);
    EXPECT_EQ(laio::socket_timeout_ns(-1, SO_RCVTIMEO), 0);
}

TEST_F(files, leave_errno_alone) {
    errno = 4321;
    file_identity identity{};
    EXPECT_LT(identify(-1, identity), 0);
    EXPECT_LT(laio::status_flags(-1), 0);
    EXPECT_TRUE(laio::is_ready(1 << 20, POLLIN)) << "what is not open would not wait either";
    EXPECT_EQ(errno, 4321);
}

} // namespace
