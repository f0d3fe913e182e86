// See resources.hpp.
#include "resources.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <random>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <system_error>
#include <termios.h>
#include <unistd.h>

namespace laio::test {
namespace {

int must(int result, const char *what) {
    if (result < 0) throw std::system_error{errno, std::generic_category(), what};
    return result;
}

std::string directory_template() {
    for (const char *variable : {"LAIO_TEST_DIR", "LAIO_BUILD_DIR"})
        if (const char *chosen = std::getenv(variable); chosen != nullptr && access(chosen, W_OK) == 0)
            return std::string{chosen} + "/laio-test-XXXXXX";
    return "/var/tmp/laio-test-XXXXXX";
}

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

std::size_t entries(const char *path) {
    std::size_t count = 0;
    std::error_code ignored;
    for (auto it = std::filesystem::directory_iterator{path, ignored}; it != std::filesystem::directory_iterator{};
         it.increment(ignored))
        ++count;
    return count;
}

std::array<char, 256> deadline_message;
volatile std::sig_atomic_t deadline_length = 0;

void on_deadline(int /*signal*/) {
    [[maybe_unused]] const auto written = write(2, deadline_message.data(), static_cast<std::size_t>(deadline_length));
    std::abort();
}

// Of the running test, so far; a child inherits those of its parent.
int failures() {
    const auto *result = ::testing::UnitTest::GetInstance()->current_test_info()->result();
    int count = 0;
    for (int part = 0; part < result->total_part_count(); ++part)
        count += result->GetTestPartResult(part).failed() ? 1 : 0;
    return count;
}

} // namespace

descriptor &descriptor::operator=(descriptor &&other) noexcept {
    if (this != &other) {
        reset();
        number_ = std::exchange(other.number_, -1);
    }
    return *this;
}

void (*descriptor::close_way)(int) = [](int number) { ::close(number); };

void descriptor::reset() {
    if (number_ >= 0) close_way(number_);
    number_ = -1;
}

pipe_ends make_pipe(int flags) {
    std::array<int, 2> ends{};
    must(pipe2(ends.data(), flags | O_CLOEXEC), "pipe2");
    return {descriptor{ends[0]}, descriptor{ends[1]}};
}

descriptor_pair make_unix_pair(int type) {
    std::array<int, 2> ends{};
    must(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
    return {descriptor{ends[0]}, descriptor{ends[1]}};
}

descriptor listen_tcp(std::uint16_t &port) {
    descriptor listener{must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")};
    sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    must(bind(listener.get(), reinterpret_cast<sockaddr *>(&address), length), "bind");
    must(listen(listener.get(), 128), "listen");
    must(getsockname(listener.get(), reinterpret_cast<sockaddr *>(&address), &length), "getsockname");
    port = ntohs(address.sin_port);
    return listener;
}

descriptor connect_tcp(std::uint16_t port) {
    descriptor made{must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")};
    const sockaddr_in address = loopback(port);
    must(connect(made.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address), "connect");
    return made;
}

descriptor_pair make_tcp_pair() {
    std::uint16_t port = 0;
    const descriptor listener = listen_tcp(port);
    descriptor near = connect_tcp(port);
    descriptor far{must(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept4")};
    return {std::move(near), std::move(far)};
}

descriptor_pair make_pty() {
    descriptor master{must(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), "posix_openpt")};
    must(grantpt(master.get()), "grantpt");
    must(unlockpt(master.get()), "unlockpt");
    std::array<char, 64> name{};
    if (ptsname_r(master.get(), name.data(), name.size()) != 0)
        throw std::system_error{errno, std::generic_category(), "ptsname_r"};
    descriptor slave{must(open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC), "open of a pty's slave")};
    termios settings{};
    must(tcgetattr(slave.get(), &settings), "tcgetattr");
    cfmakeraw(&settings);
    must(tcsetattr(slave.get(), TCSANOW, &settings), "tcsetattr");
    return {std::move(slave), std::move(master)};
}

void set_nonblocking(int fd) { must(fcntl(fd, F_SETFL, must(fcntl(fd, F_GETFL), "F_GETFL") | O_NONBLOCK), "F_SETFL"); }

void fill(int fd) {
    const int flags = must(fcntl(fd, F_GETFL), "F_GETFL");
    must(fcntl(fd, F_SETFL, flags | O_NONBLOCK), "F_SETFL");
    const std::string block(4096, 'f');
    std::size_t size = block.size(); // single bytes last: else a little room is left, and small writes go through
    while (size > 0) {
        if (write(fd, block.data(), size) < 0) size /= 2;
    }
    must(fcntl(fd, F_SETFL, flags), "F_SETFL");
}

std::string read_all(int fd, std::size_t n) {
    std::string bytes(n, '\0');
    std::size_t got = 0;
    while (got < n) {
        const ssize_t count = read(fd, bytes.data() + got, n - got);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        got += static_cast<std::size_t>(count);
    }
    bytes.resize(got);
    return bytes;
}

void write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = write(fd, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        bytes.remove_prefix(static_cast<std::size_t>(must(static_cast<int>(count), "write")));
    }
}

bool is_readable(int fd) {
    pollfd item{fd, POLLIN, 0};
    int count = -1;
    do count = poll(&item, 1, 0);
    while (count < 0 && errno == EINTR);
    return must(count, "poll") == 1 && (item.revents & POLLIN) != 0;
}

std::string pattern(std::size_t size, std::uint32_t seed) {
    std::string bytes(size, '\0');
    std::uint32_t state = seed * 2654435761U + 12345U;
    for (char &byte : bytes) {
        state = state * 1664525U + 1013904223U;
        byte = static_cast<char>(state >> 24U);
    }
    return bytes;
}

directory::directory() : path_{directory_template()} {
    if (mkdtemp(path_.data()) == nullptr) throw std::system_error{errno, std::generic_category(), "mkdtemp"};
}

directory::~directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string directory::path(std::string_view name) const { return path_ + "/" + std::string{name}; }

descriptor directory::file(std::string_view name, std::string_view content) const {
    descriptor made{must(open(path(name).c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), "open")};
    write_all(made.get(), content);
    must(static_cast<int>(lseek(made.get(), 0, SEEK_SET)), "lseek");
    return made;
}

bool directory::on_tmpfs() const {
    constexpr long tmpfs_magic = 0x01021994;
    struct statfs status {};
    return statfs(path_.c_str(), &status) == 0 && status.f_type == tmpfs_magic;
}

void make_cold(int fd) {
    must(fsync(fd), "fsync");
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
}

int in_child(const std::function<void()> &body) {
    std::fflush(nullptr);
    const int failures_before = failures();
    const pid_t pid = must(fork(), "fork");
    if (pid == 0) {
        arm_deadline("a child", deadline_s);
        try {
            body();
        } catch (const std::exception &error) { ADD_FAILURE() << error.what(); }
        std::fflush(nullptr);
        _exit(failures() > failures_before ? 1 : 0);
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    return status;
}

void expect_in_child(const std::function<void()> &body) {
    const int status = in_child(body);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0)
        << "the child ended with wait status " << status << (WIFSIGNALED(status) ? " (a signal)" : "");
}

waiting_child make_waiting_child(const std::function<void()> &prepare) {
    pipe_ends leash = make_pipe();
    pipe_ends ready = make_pipe();
    std::fflush(nullptr);
    const pid_t pid = must(fork(), "fork");
    if (pid == 0) {
        leash.writer.reset();
        if (prepare) prepare();
        ready.writer.reset();
        ready.reader.reset();
        read_all(leash.reader.get(), 1);
        _exit(7);
    }
    ready.writer.reset();
    read_all(ready.reader.get(), 1);
    return {pid, std::move(leash.writer)};
}

std::size_t open_descriptors() { return entries("/proc/self/fd"); }

std::size_t threads() { return entries("/proc/self/task"); }

void wait_until(const std::function<bool()> &is_so) {
    while (!is_so()) poll(nullptr, 0, 1);
}

void arm_deadline(const char *test_name, unsigned limit_s) {
    const int length = std::snprintf(deadline_message.data(), deadline_message.size(),
                                     "\n*** %s did not end within %u s\n", test_name, limit_s);
    deadline_length = std::min(length, static_cast<int>(deadline_message.size()) - 1);
    std::signal(SIGALRM, on_deadline);
    alarm(limit_s);
}

void disarm_deadline() { alarm(0); }

} // namespace laio::test
