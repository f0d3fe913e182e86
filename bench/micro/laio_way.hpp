// LAIO as a column: laio_syscall(), laio_gethandle() and laio_poll() on one set of engines. The loop belongs to the
// calling thread and lives from open() to close(). That a ready call is answered at once and one that is not ready says
// EINPROGRESS is checked at every call: it is what the library promises. Functions as in plain_ways.hpp.
#pragma once

#include "common/failure.hpp"
#include "request.hpp"
#include "way.hpp"

#include <laio/laio.h>

#include <sys/syscall.h>

#include <cerrno>
#include <cstdint>
#include <string>

namespace laio::bench {

template <input kind> long laio_call(const request &wanted) {
    if constexpr (kind == input::read) return laio_syscall(SYS_read, wanted.fd, wanted.buffer, wanted.length);
    else if constexpr (kind == input::receive)
        return laio_syscall(SYS_recvfrom, wanted.fd, wanted.buffer, wanted.length, 0, nullptr, nullptr);
    else return laio_syscall(SYS_pread64, wanted.fd, wanted.buffer, wanted.length, wanted.offset);
}

class laio_way {
public:
    explicit laio_way(way which) : which_(which) {}

    static laio_options options_for(way which);
    static std::string why_no_ring(way which);
    static std::string why_no_activations();

    void open(int /*fd*/ = -1);
    void close();

    // How many calls of ready() went to the background.
    [[nodiscard]] std::uint64_t waits() const { return waits_; }

    template <input kind> long ready(const request &wanted) {
        const long result = laio_call<kind>(wanted);
        if (result == -1 && errno == EINPROGRESS) [[unlikely]] {
            ++waits_;
            handle_ = laio_gethandle();
            return finish<kind>();
        }
        return result;
    }

    template <input kind> void submit(const request &wanted) {
        if (laio_call<kind>(wanted) != -1 || errno != EINPROGRESS) [[unlikely]]
            fail("{}: laio_syscall() did not report EINPROGRESS for a call that would block", name_of(which_).key);
        handle_ = laio_gethandle();
    }

    template <input kind> long finish() { return poll_one(handle_); }

    // laio_poll() without limit. Made again after EINTR, as any program does: it comes without a signal too, when the
    // kernel has work for this thread from a ring that another way closed a moment ago.
    static int poll_all(laio_completion *completions, int length) {
        int count = laio_poll(completions, length, nullptr);
        while (count < 0 && errno == EINTR) [[unlikely]] count = laio_poll(completions, length, nullptr);
        return count;
    }

    // Waits for the completion of the only outstanding call. As the call: -1 and errno for an error.
    long poll_one(laio_handle_t handle) const {
        laio_completion completion;
        const int count = poll_all(&completion, 1);
        if (count != 1) [[unlikely]]
            fail("{}: laio_poll() gave {}: {}", name_of(which_).key, count, error_text(errno));
        if (handle == nullptr || completion.laio_handle != handle) [[unlikely]]
            fail("{}: laio_poll() completed another call than the one that was outstanding", name_of(which_).key);
        if (completion.laio_return_value < 0) [[unlikely]]
            errno = completion.laio_errno;
        return completion.laio_return_value;
    }

private:
    way which_;
    laio_handle_t handle_ = nullptr;
    std::uint64_t waits_ = 0;
};

} // namespace laio::bench
