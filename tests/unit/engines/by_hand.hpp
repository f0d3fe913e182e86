// What the tests of the engines are made of: operations prepared by hand, as the loop would prepare them, and descriptors.
//
// An engine is driven here without a loop: nobody attempts a call before it, and nobody takes what it gives back but the
// test. Waiting is always for something that has to happen; its limit ends a hang and decides nothing else.
#pragma once

#include "calls/operation.hpp"
#include "calls/pool.hpp"
#include "kernel/clock.hpp"
#include "kernel/system_call.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <dirent.h>
#include <fcntl.h>
#include <initializer_list>
#include <map>
#include <poll.h>
#include <random>
#include <sched.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace laio::test {

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr int hang_s = 30;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

class descriptor {
public:
    explicit descriptor(int number = -1) : number_(number) {}
    descriptor(descriptor &&other) noexcept : number_(std::exchange(other.number_, -1)) {}
    descriptor &operator=(descriptor &&other) noexcept {
        reset();
        number_ = std::exchange(other.number_, -1);
        return *this;
    }
    descriptor(const descriptor &) = delete;
    descriptor &operator=(const descriptor &) = delete;
    ~descriptor() { reset(); }

    [[nodiscard]] int get() const { return number_; }
    void reset() {
        if (number_ >= 0) close(number_);
        number_ = -1;
    }

private:
    int number_;
};

struct ends {
    descriptor reader; // of a pipe; of a pair of sockets they are alike
    descriptor writer;
};

inline ends make_pipe() {
    int both[2]{-1, -1};
    EXPECT_EQ(pipe2(both, O_CLOEXEC), 0);
    return {descriptor(both[0]), descriptor(both[1])};
}

inline ends make_sockets(int type = SOCK_STREAM) {
    int both[2]{-1, -1};
    EXPECT_EQ(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, both), 0);
    return {descriptor(both[0]), descriptor(both[1])};
}

// A file without a name that holds `content`.
inline descriptor make_file(std::string_view content) {
    descriptor file(static_cast<int>(syscall(SYS_memfd_create, "file", 1u /* MFD_CLOEXEC */)));
    EXPECT_GE(file.get(), 0);
    EXPECT_EQ(pwrite(file.get(), content.data(), content.size(), 0), static_cast<ssize_t>(content.size()));
    return file;
}

inline void put(const descriptor &to, std::string_view bytes) {
    EXPECT_EQ(write(to.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
}

// What is there now.
inline std::string drain(const descriptor &from) {
    const int flags = fcntl(from.get(), F_GETFL);
    fcntl(from.get(), F_SETFL, flags | O_NONBLOCK);
    std::string all;
    char some[4096];
    for (ssize_t r = 0; (r = read(from.get(), some, sizeof some)) > 0;) all.append(some, static_cast<std::size_t>(r));
    fcntl(from.get(), F_SETFL, flags);
    return all;
}

// Until it takes no more.
inline void fill_up(const descriptor &to) {
    const int flags = fcntl(to.get(), F_GETFL);
    fcntl(to.get(), F_SETFL, flags | O_NONBLOCK);
    const std::string bytes(4096, 'f');
    while (write(to.get(), bytes.data(), bytes.size()) > 0) {}
    while (write(to.get(), bytes.data(), 1) > 0) {}
    fcntl(to.get(), F_SETFL, flags);
}

inline bool is_readable(int number, int timeout_ms = 0) {
    pollfd one{number, POLLIN, 0};
    return ::poll(&one, 1, timeout_ms) == 1;
}

// For what becomes readable sooner or later.
inline bool becomes_readable(int number) { return is_readable(number, hang_s * 1000); }

// For what another thread does sooner or later.
template <class condition> bool comes_true(condition holds) {
    for (const std::int64_t end_ns = now_ns() + hang_s * second_ns; !holds(); sched_yield())
        if (now_ns() > end_ns) return false;
    return true;
}

inline std::size_t count_descriptors() {
    DIR *folder = opendir("/proc/self/fd");
    if (folder == nullptr) return 0;
    std::size_t count = 0;
    while (readdir(folder) != nullptr) ++count;
    closedir(folder);
    return count;
}

inline std::size_t length(const operation_list &list) {
    std::size_t count = 0;
    for (const operation *op = list.first; op != nullptr; op = op->next) ++count;
    return count;
}

// Operations, and how often an engine gave each of them back.
class operations {
public:
    operations() = default;
    operations(const operations &) = delete;
    operations &operator=(const operations &) = delete;
    ~operations() {
        for (operation *op : made_) release(*op);
    }

    operation &make(long number, std::initializer_list<long> arguments = {}) {
        operation *op = pool_.take();
        if (op == nullptr) std::abort();
        made_.push_back(op);
        long six[6]{};
        std::copy(arguments.begin(), arguments.end(), six);
        prepare(*op, *find_row(number), number, six);
        return *op;
    }

    operation &wait(int for_descriptor, until what) {
        operation &op = make(what == until::writable ? SYS_write : SYS_read, {for_descriptor, 0, 1});
        op.waits_for = what;
        return op;
    }

    [[nodiscard]] const std::vector<operation *> &all() const { return made_; }

    // Takes all of a list, in its order.
    std::vector<operation *> take(operation_list &from) {
        std::vector<operation *> all;
        while (operation *op = from.pop()) {
            all.push_back(op);
            ++given_[op];
        }
        return all;
    }
    [[nodiscard]] int times_given(const operation &op) const {
        const auto found = given_.find(&op);
        return found != given_.end() ? found->second : 0;
    }

private:
    pool pool_{1 << 20};
    std::vector<operation *> made_;
    std::map<const operation *, int> given_;
};

using given = std::vector<operation *>;

// The seed of this run: LAIO_TEST_SEED, or a fresh one. Printed at its first use.
inline unsigned seed() {
    static const unsigned value = [] {
        const char *asked = std::getenv("LAIO_TEST_SEED");
        const unsigned one =
            asked != nullptr ? static_cast<unsigned>(std::strtoul(asked, nullptr, 10)) : std::random_device{}();
        std::printf("LAIO_TEST_SEED=%u\n", one);
        return one;
    }();
    return value;
}

} // namespace laio::test
