// What tests need of the kernel: descriptors, pipes, sockets, terminals, directories, children. All calls here are plain
// ones, never through the library under test, but for the close of a descriptor where that is promised (harness.cpp).
// Owners close and remove in their destructors; a failure to make one ends the test by an exception, which gtest reports.
// Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>

namespace laio::test {

class descriptor {
public:
    descriptor() = default;
    explicit descriptor(int number) : number_{number} {}
    descriptor(descriptor &&other) noexcept : number_{std::exchange(other.number_, -1)} {}
    descriptor &operator=(descriptor &&other) noexcept;
    descriptor(const descriptor &) = delete;
    descriptor &operator=(const descriptor &) = delete;
    ~descriptor() { reset(); }

    [[nodiscard]] int get() const { return number_; }
    int release() { return std::exchange(number_, -1); }
    void reset();

    static void close_by(void (*way)(int number)) { close_way = way; } // instead of close(2), for the whole process

private:
    static void (*close_way)(int number);
    int number_ = -1;
};

// `near` is the end that the test uses through the library, `far` the one of its counterpart.
struct descriptor_pair {
    descriptor near;
    descriptor far;
};

struct pipe_ends {
    descriptor reader;
    descriptor writer;
};

pipe_ends make_pipe(int flags = 0);
descriptor_pair make_unix_pair(int type = 1 /* SOCK_STREAM */);
descriptor_pair make_tcp_pair();
descriptor_pair make_pty();                 // near: the slave, in raw mode
descriptor listen_tcp(std::uint16_t &port); // on 127.0.0.1
descriptor connect_tcp(std::uint16_t port);

void set_nonblocking(int fd);
void fill(int fd);                           // until it takes no more; blocking afterwards as before
std::string read_all(int fd, std::size_t n); // n bytes or up to the end
void write_all(int fd, std::string_view bytes);
bool is_readable(int fd);

// Bytes that differ at every place and between seeds.
std::string pattern(std::size_t size, std::uint32_t seed = 1);

// A fresh directory in $LAIO_TEST_DIR, else in the build folder, else in /var/tmp, which is a disk more often than /tmp is.
class directory {
public:
    directory();
    ~directory();
    directory(const directory &) = delete;
    directory &operator=(const directory &) = delete;
    [[nodiscard]] std::string path(std::string_view name) const;
    [[nodiscard]] const std::string &path() const { return path_; }
    descriptor file(std::string_view name, std::string_view content) const; // open for both
    [[nodiscard]] bool on_tmpfs() const;

private:
    std::string path_;
};

// Drops a file's pages from memory as far as the kernel does so.
void make_cold(int fd);

// Runs body in a forked child that ends with _exit; its wait status.
int in_child(const std::function<void()> &body);
// The same, and the test fails if an expectation failed in the child.
void expect_in_child(const std::function<void()> &body);
// A child that lives until the returned pipe's writer is closed.
struct waiting_child {
    pid_t pid;
    descriptor leash;
};
waiting_child make_waiting_child(const std::function<void()> &prepare = {}); // returns after prepare() ran

std::size_t open_descriptors();
std::size_t threads();

// Naps until it is so. The deadline of the test is the limit.
void wait_until(const std::function<bool()> &is_so);

// A process asks to be ended, with a message, if this test takes longer.
void arm_deadline(const char *test_name, unsigned limit_s);
void disarm_deadline();

// Scales sizes down where a sanitizer makes everything slow.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif
inline constexpr std::size_t big_size = sanitized ? 4U << 20U : 16U << 20U;
inline constexpr unsigned deadline_s = sanitized ? 240 : 60;

} // namespace laio::test
