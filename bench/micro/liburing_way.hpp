// io_uring by hand through liburing, as one who knows it would for a single thread: SINGLE_ISSUER and DEFER_TASKRUN
// where the kernel has them, a registered ring descriptor, one system call that submits and waits wherever both are
// wanted. It is the measure for LAIO's waits, and knows neither the attempt nor the engines. Functions as in
// plain_ways.hpp.
#pragma once

#include "common/failure.hpp"
#include "request.hpp"
#include "way.hpp"

#include <liburing.h>

#include <cerrno>
#include <cstdint>
#include <string>

namespace laio::bench {

class liburing_way {
public:
    explicit liburing_way(way /*which*/) {}

    static std::string why_not();
    static std::string flags_used(); // "SINGLE_ISSUER|DEFER_TASKRUN", ...

    void open(int /*fd*/ = -1);
    void close();
    static std::uint64_t waits() { return 0; }

    template <input kind> long ready(const request &wanted) {
        prepare<kind>(wanted, this);
        check(io_uring_submit_and_wait(&ring_, 1), "io_uring_submit_and_wait");
        return take();
    }

    template <input kind> void submit(const request &wanted) {
        prepare<kind>(wanted, this);
        check(io_uring_submit(&ring_), "io_uring_submit");
    }

    template <input kind> long finish() { return take(); }

    template <input kind> void prepare(const request &wanted, void *data) {
        io_uring_sqe *entry = io_uring_get_sqe(&ring_);
        if (entry == nullptr) [[unlikely]]
            fail("io_uring_get_sqe: the submission queue is full");
        if constexpr (kind == input::receive) io_uring_prep_recv(entry, wanted.fd, wanted.buffer, wanted.length, 0);
        else
            io_uring_prep_read(entry, wanted.fd, wanted.buffer, static_cast<unsigned>(wanted.length),
                               static_cast<std::uint64_t>(kind == input::file ? wanted.offset : -1));
        io_uring_sqe_set_data(entry, data);
    }

    // Waits for the only request in flight. As a call: -1 and errno for an error.
    long take() {
        io_uring_cqe *entry = nullptr;
        check(io_uring_wait_cqe(&ring_, &entry), "io_uring_wait_cqe");
        if (io_uring_cqe_get_data(entry) != this) [[unlikely]]
            fail("io_uring completed another request than the one that was submitted");
        const int result = entry->res;
        io_uring_cqe_seen(&ring_, entry);
        if (result >= 0) return result;
        errno = -result;
        return -1;
    }

    static void check(int result, const char *what) {
        if (result < 0) [[unlikely]]
            fail("{}: {}", what, error_text(-result));
    }

    io_uring *ring() { return &ring_; }

private:
    io_uring ring_{};
};

} // namespace laio::bench
