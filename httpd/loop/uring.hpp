// A ring of io_uring, by liburing: requests are gathered and go to the kernel together, once a turn, with the wait; what has
// completed is told to those who asked. Used on the one thread that made it, which is also the only one on which the
// kernel completes anything, and only when that thread asks (DEFER_TASKRUN), so that no request interrupts another's turn.
// Owns the ring alone. Memory that the kernel writes to is its owner's, who calls end() before it frees any.
// A full submission queue is submitted early. A full completion queue loses nothing: the kernel keeps the rest until there
// is room (IORING_FEAT_NODROP, older than IORING_FEAT_EXT_ARG, which is required).
#pragma once

#include <liburing.h>

#include <cstdint>

namespace httpd {

// Who has requests in the ring, up to eight at once, told apart by `which`. Is not destroyed while it has one there.
class alignas(8) uring_client {
public:
    uring_client() = default;
    uring_client(const uring_client &) = delete;
    uring_client &operator=(const uring_client &) = delete;

    // `result`: the value of the call of that name, or the error, negative.
    virtual void completed(unsigned which, int result) = 0;

protected:
    ~uring_client() = default;
};

class uring {
public:
    // `workers`: kernel threads at once, at most, for what would block the submission (opening, reading where a file system
    // cannot be asked not to wait). Throws std::system_error: io_uring is not there, not allowed, or too old.
    explicit uring(unsigned workers);
    uring(const uring &) = delete;
    uring &operator=(const uring &) = delete;
    ~uring();

    // A request in the next submission; `prepare` fills it in. Throws std::system_error when the kernel takes none.
    template <typename preparing> void add(uring_client &whose, unsigned which, preparing prepare) {
        io_uring_sqe &entry = next();
        prepare(entry);
        entry.user_data = tag_of(whose, which);
        ++under_way_;
    }
    // The next `requests` requests are a chain, which must not be torn by an early submission.
    void keep_together(unsigned requests);

    // Asks for the end of a request, if it is still there.
    void cancel(uring_client &whose, unsigned which);

    // Submits, and makes the kernel complete what it can; waits for a first completion for so long (-1: without end).
    void submit_and_wait(std::int64_t timeout_ns);
    void submit();

    bool has_completed() const { return io_uring_cq_ready(&ring_) > 0 || io_uring_cq_has_overflow(&ring_); }
    // Tells the owners of what has completed by now.
    void tell();

    // Cancels everything and waits until it has ended, telling nobody. False: something does not let go (a dead disk), and
    // memory that was given to the kernel must not be freed.
    bool end();

    void signal_by(int eventfd); // completions are signalled there. Throws std::system_error

private:
    static std::uint64_t tag_of(uring_client &whose, unsigned which) {
        return reinterpret_cast<std::uintptr_t>(&whose) | which;
    }
    io_uring_sqe &next();
    void cancel_all_and_wait();

    io_uring ring_{};
    std::uint64_t under_way_ = 0;
    bool gave_up_ = false;
};

} // namespace httpd
