// io_uring, where the kernel lets us: reads of files that are not in memory, accepts and connects; if the application
// likes, everything that waits for a socket or a pipe.
//
// The ring makes the call itself, with its own reference to the file, so nothing can be taken for another file meanwhile.
// What does not fit its submission queue waits in a backlog. Completions ring the loop's alarm when asked to. It has its set-up flags
// asked from the newest down. Owns the ring; operations are the loop's, and the kernel's while they run.
// Without liburing this file is compiled too (LAIO_HAS_URING=0): then there is never a ring.
#pragma once

#include "engines/engine.hpp"
#include "laio/laio.h"

#include <cstdint>
#include <time.h>

struct io_uring;
struct io_uring_sqe;

namespace laio {

enum class ring_request : std::uint8_t; // what the kernel is asked to do

class ring {
public:
    ring() = default;
    ~ring();
    ring(const ring &) = delete;
    ring &operator=(const ring &) = delete;

    // 0, or why there is none: a negative errno.
    int open(const laio_options &options, int alarm);
    [[nodiscard]] bool is_open() const { return ring_ != nullptr; }

    // By the thread that had a ring, which is closed: some milliseconds later the kernel interrupts this thread once more, to
    // clear up in it. That is to find it here, and not in a call of the application's.
    static void wait_for_last_work();

    // Whether it can make this call.
    [[nodiscard]] bool can(const operation &op) const;

    int start(operation &op); // 0, or -EOPNOTSUPP: it cannot make this call; submitted by submit() or by collect()
    bool cancel(operation &op);
    void submit();
    void collect(operation_list &complete); // op.result is set

    // Whether completions ring the alarm; who sleeps in the ring itself needs no alarm, and it costs. After it was set,
    // has_complete() tells of those that came before.
    void set_alarm(bool on);
    [[nodiscard]] bool has_complete();

    [[nodiscard]] bool is_idle() const { return in_flight_ == 0 && backlog_.empty(); }

    // Sleeps until something is complete. 0, -ETIME, -EINTR or another negative errno.
    int sleep(const timespec *timeout);

    // For laio_stats() and laio-probe.
    [[nodiscard]] std::uint64_t submitted() const { return submitted_; }
    [[nodiscard]] std::uint64_t in_flight() const { return in_flight_; }
    [[nodiscard]] std::uint64_t enters() const { return enters_; }
    [[nodiscard]] unsigned flags() const { return flags_; } // IORING_SETUP_... in use

private:
    [[nodiscard]] bool knows(ring_request wanted) const;
    bool put(operation &op, ring_request wanted);
    bool put_cancel(operation &op);
    io_uring_sqe *free_entry();
    void drain();
    void take(operation_list &complete);
    bool fetch();
    int set_up(unsigned entries, std::uint32_t forbidden);
    int ask_operations();

    io_uring *ring_ = nullptr;
    operation_list backlog_; // did not fit
    operation_list cancels_; // running, and the request to cancel them did not fit
    std::uint64_t submitted_ = 0;
    std::uint64_t in_flight_ = 0; // put into the queue and not complete
    std::uint64_t enters_ = 0;
    unsigned flags_ = 0;
    std::uint32_t requests_ = 0; // which requests it knows, a bit each
};

static_assert(engine<ring>);

} // namespace laio
