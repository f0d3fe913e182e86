// Real files for the tests of single calls: pipes, sockets, a terminal, files in memory and on a disk. Made by plain
// calls, never through the code under test. Owners close in their destructors; what cannot be made ends the test by an
// exception, which GoogleTest reports. Any thread.
#pragma once

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <system_error>
#include <termios.h>
#include <unistd.h>
#include <utility>

namespace laio::test {

template <class number> number must(number result, const char *what) {
    if (result < 0) throw std::system_error{errno, std::generic_category(), what};
    return result;
}

class descriptor {
public:
    explicit descriptor(int number) : number_{number} {}
    descriptor(descriptor &&other) noexcept : number_{other.release()} {}
    descriptor &operator=(descriptor &&other) noexcept {
        reset(other.release());
        return *this;
    }
    descriptor(const descriptor &) = delete;
    descriptor &operator=(const descriptor &) = delete;
    ~descriptor() { reset(); }

    operator int() const { return number_; } // it stands for its number wherever a call wants one
    int release() { return std::exchange(number_, -1); }
    void reset(int number = -1) {
        if (number_ >= 0) ::close(number_);
        number_ = number;
    }

private:
    int number_;
};

// What is written to `in` is read from `out`. Of sockets and terminals each is both.
struct ends {
    descriptor out;
    descriptor in;
};

inline ends make_pipe(int flags = 0) {
    int both[2]{};
    must(pipe2(both, flags | O_CLOEXEC), "pipe2");
    return {descriptor{both[0]}, descriptor{both[1]}};
}

inline ends make_sockets(int type = SOCK_STREAM) {
    int both[2]{};
    must(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, both), "socketpair");
    return {descriptor{both[0]}, descriptor{both[1]}};
}

inline descriptor make_listener(sockaddr_in &address) {
    descriptor listener{must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")};
    address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    must(bind(listener, reinterpret_cast<sockaddr *>(&address), length), "bind");
    must(listen(listener, 8), "listen");
    must(getsockname(listener, reinterpret_cast<sockaddr *>(&address), &length), "getsockname");
    return listener;
}

inline ends make_tcp() {
    sockaddr_in address{};
    const descriptor listener = make_listener(address);
    descriptor in{must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")};
    must(connect(in, reinterpret_cast<const sockaddr *>(&address), sizeof address), "connect");
    return {descriptor{must(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC), "accept4")}, std::move(in)};
}

// out: the slave, in raw mode; in: the master.
inline ends make_terminal() {
    descriptor master{must(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), "posix_openpt")};
    must(grantpt(master), "grantpt");
    must(unlockpt(master), "unlockpt");
    char name[64]{};
    if (const int error = ptsname_r(master, name, sizeof name); error != 0)
        throw std::system_error{error, std::generic_category(), "ptsname_r"};
    descriptor slave{must(open(name, O_RDWR | O_NOCTTY | O_CLOEXEC), "open of a terminal")};
    termios settings{};
    must(tcgetattr(slave, &settings), "tcgetattr");
    cfmakeraw(&settings);
    must(tcsetattr(slave, TCSANOW, &settings), "tcsetattr");
    return {std::move(slave), std::move(master)};
}

inline ends make_eventfd() {
    descriptor counter{must(eventfd(0, EFD_CLOEXEC), "eventfd")};
    descriptor same{must(fcntl(counter, F_DUPFD_CLOEXEC, 0), "dup")};
    return {std::move(counter), std::move(same)};
}

// What can be read and written and may have to wait for the other end.
struct kind {
    const char *name;
    ends (*make)();
};
inline constexpr kind a_pipe{"pipe", [] { return make_pipe(); }};
inline constexpr kind a_unix_stream{"Unix stream", [] { return make_sockets(); }};
inline constexpr kind unix_datagrams{"Unix datagrams", [] { return make_sockets(SOCK_DGRAM); }};
inline constexpr kind unix_packets{"Unix packets", [] { return make_sockets(SOCK_SEQPACKET); }};
inline constexpr kind a_connection{"TCP connection", make_tcp};
inline constexpr kind an_eventfd{"eventfd", make_eventfd};
inline constexpr kind a_terminal{"terminal", make_terminal};

inline constexpr kind all_kinds[] = {a_pipe,       a_unix_stream, unix_datagrams, unix_packets,
                                     a_connection, an_eventfd,    a_terminal};
inline constexpr kind pipes_and_sockets[] = {a_pipe, a_unix_stream, unix_datagrams, unix_packets, a_connection};
inline constexpr kind streams[] = {a_pipe, a_unix_stream, a_connection};

inline void put(int file, std::string_view bytes) {
    while (!bytes.empty())
        bytes.remove_prefix(static_cast<std::size_t>(must(write(file, bytes.data(), bytes.size()), "write")));
}

// Up to `length` bytes: less at the end of the file.
inline std::string get(int file, std::size_t length) {
    std::string bytes(length, '\0');
    std::size_t got = 0;
    for (ssize_t r = 1; got < length && r > 0; got += static_cast<std::size_t>(r))
        r = must(read(file, bytes.data() + got, length - got), "read");
    bytes.resize(got);
    return bytes;
}

inline bool has_something(int file) {
    pollfd item{file, POLLIN, 0};
    return must(poll(&item, 1, 0), "poll") == 1 && (item.revents & POLLIN) != 0;
}

inline void set_nonblocking(int file) {
    must(fcntl(file, F_SETFL, must(fcntl(file, F_GETFL), "F_GETFL") | O_NONBLOCK), "F_SETFL");
}

// Until it takes no more.
inline void fill(int file) {
    const int flags = must(fcntl(file, F_GETFL), "F_GETFL");
    must(fcntl(file, F_SETFL, flags | O_NONBLOCK), "F_SETFL");
    const std::string block(65536, 'f');
    for (std::size_t size = block.size(); size > 0;)
        if (write(file, block.data(), size) < 0)
            size /= 2; // single bytes last, or there would be room for small writes
    must(fcntl(file, F_SETFL, flags), "F_SETFL");
}

// Bytes that tell every place from its neighbours.
inline std::string pattern(std::size_t size) {
    std::string bytes(size, '\0');
    unsigned value = 12345;
    for (char &byte : bytes) byte = static_cast<char>((value = value * 1664525U + 1013904223U) >> 24U);
    return bytes;
}

// A file of a file system that the kernel made for itself: in memory, without a name.
inline descriptor make_memory_file(std::string_view content) {
    descriptor made{must(memfd_create("laio-test", MFD_CLOEXEC), "memfd_create")};
    put(made, content);
    must(lseek(made, 0, SEEK_SET), "lseek");
    return made;
}

// A directory with files, in the build folder, else in /var/tmp: on a disk more often than /tmp is.
class directory {
public:
    directory() {
        const char *build = std::getenv("LAIO_BUILD_DIR");
        path_ = build != nullptr && access(build, W_OK) == 0 ? build : "/var/tmp";
        path_ += "/laio-test-XXXXXX";
        if (mkdtemp(path_.data()) == nullptr) throw std::system_error{errno, std::generic_category(), "mkdtemp"};
    }
    ~directory() {
        for (const char *name : {"a", "b", "fifo", "link"}) unlink(path(name).c_str());
        rmdir(path_.c_str());
    }
    directory(const directory &) = delete;
    directory &operator=(const directory &) = delete;

    // Names are "a", "b", "fifo" and "link".
    [[nodiscard]] std::string path(std::string_view name) const { return path_ + "/" + std::string{name}; }
    [[nodiscard]] const std::string &path() const { return path_; }
    [[nodiscard]] descriptor file(std::string_view name, std::string_view content) const {
        descriptor made{must(open(path(name).c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), "open")};
        put(made, content);
        must(lseek(made, 0, SEEK_SET), "lseek");
        return made;
    }

private:
    std::string path_;
};

// A page that cannot be touched, behind one that can.
class fence {
public:
    fence()
        : pages_{static_cast<char *>(
              mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))} {
        if (pages_ == MAP_FAILED) throw std::system_error{errno, std::generic_category(), "mmap"};
        must(mprotect(pages_ + page, page, PROT_NONE), "mprotect");
    }
    ~fence() { munmap(pages_, 2 * page); }
    fence(const fence &) = delete;
    fence &operator=(const fence &) = delete;

    [[nodiscard]] char *beyond() const { return pages_ + page; }
    [[nodiscard]] char *last(std::size_t bytes) const { return pages_ + page - bytes; } // that can be touched

private:
    static constexpr std::size_t page = 65536; // a multiple of any page size
    char *pages_;
};

} // namespace laio::test
