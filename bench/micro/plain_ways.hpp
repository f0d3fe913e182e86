// The two classical ways: blocking calls, and non-blocking calls with epoll. Both are written out by hand as a server
// would, without layers. The first also beside LAIO's threads, which tells the price of a call from that of a process
// with threads. Each way has the same functions:
//   open(fd), close()   around a batch, not timed
//   ready<kind>()       an input whose data is there: its result; waits() counts how often it was not after all
//   submit<kind>()      an input whose data is not there yet
//   finish()            waits for the submitted input: its result
#pragma once

#include "common/activation_presence.hpp"
#include "common/failure.hpp"
#include "request.hpp"
#include "way.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace laio::bench {

template <input kind> long call_now(const request &wanted) {
    if constexpr (kind == input::read) return ::read(wanted.fd, wanted.buffer, wanted.length);
    else if constexpr (kind == input::receive)
        return ::recvfrom(wanted.fd, wanted.buffer, wanted.length, 0, nullptr, nullptr);
    else return ::pread(wanted.fd, wanted.buffer, wanted.length, wanted.offset);
}

class plain_way {
public:
    explicit plain_way(way /*which*/) {}
    void open(int /*fd*/) {}
    void close() {}
    static std::uint64_t waits() { return 0; }

    template <input kind> long ready(const request &wanted) { return call_now<kind>(wanted); }

    // A thread that blocks cannot write as well: the read is made when the byte is there, which is the least that the
    // exchange can cost.
    template <input kind> void submit(const request &wanted) { submitted_ = wanted; }
    template <input kind> long finish() { return call_now<kind>(submitted_); }

private:
    request submitted_;
};

class plain_threads_way : public plain_way {
public:
    using plain_way::plain_way;
    static void open(int /*fd*/ = -1) {
        if (const std::string why = why_no_activations(); !why.empty()) fail("{}", why); // asking makes the threads
    }
    static void close() { must(laio_fini(), "laio_fini"); }
};

class epoll_way {
public:
    explicit epoll_way(way /*which*/) {}

    void open(int fd) {
        fd_ = fd;
        flags_ = must(::fcntl(fd, F_GETFL), "fcntl");
        must(::fcntl(fd, F_SETFL, flags_ | O_NONBLOCK), "fcntl");
        epoll_ = must(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
        epoll_event event{};
        event.events = EPOLLONESHOT;
        must(::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
    }

    void close() {
        ::close(epoll_);
        must(::fcntl(fd_, F_SETFL, flags_), "fcntl");
    }

    [[nodiscard]] std::uint64_t waits() const { return waits_; }

    template <input kind> long ready(const request &wanted) {
        long result = call_now<kind>(wanted);
        while (result < 0 && errno == EAGAIN) {
            ++waits_;
            pollfd waiting{.fd = wanted.fd, .events = POLLIN, .revents = 0};
            must(::poll(&waiting, 1, -1), "poll");
            result = call_now<kind>(wanted);
        }
        return result;
    }

    template <input kind> void submit(const request &wanted) {
        submitted_ = wanted;
        if (call_now<kind>(wanted) != -1 || errno != EAGAIN) fail("a non-blocking read found data where none was");
        epoll_event event{};
        event.events = EPOLLIN | EPOLLONESHOT;
        event.data.fd = wanted.fd;
        must(::epoll_ctl(epoll_, EPOLL_CTL_MOD, wanted.fd, &event), "epoll_ctl");
    }

    template <input kind> long finish() {
        epoll_event event{};
        if (must(::epoll_wait(epoll_, &event, 1, -1), "epoll_wait") != 1 || event.data.fd != submitted_.fd)
            fail("epoll_wait reported another descriptor");
        return call_now<kind>(submitted_);
    }

private:
    request submitted_;
    int fd_ = -1;
    int flags_ = 0;
    int epoll_ = -1;
    std::uint64_t waits_ = 0;
};

} // namespace laio::bench
