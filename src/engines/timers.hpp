// Deadlines: sleeps, socket time-outs, the time-out of poll(2) and its kin. A heap of operations by deadline_ns. Not an
// engine: an operation can have a deadline while an engine has the operation.
//
// One timerfd for the loop, armed for the earliest deadline, makes laio_fd() readable when it has come. Owns the timerfd
// and the heap's memory. Lost: the time-out argument of epoll_wait, which a foreign loop that waits on laio_fd() would
// not know; and a timerfd for each sleep, which costs a descriptor.
#pragma once

#include "calls/operation.hpp"

#include <cstddef>
#include <cstdint>

namespace laio {

class timers {
public:
    timers() = default;
    ~timers();
    timers(const timers &) = delete;
    timers &operator=(const timers &) = delete;

    int open(); // 0 or a negative errno
    [[nodiscard]] int descriptor() const { return descriptor_; }

    int start(operation &op); // op.deadline_ns is set; 0 or -ENOMEM
    void cancel(operation &op) {
        if (op.timer_place != 0) remove(op);
    }
    [[nodiscard]] bool is_empty() const { return count_ == 0; }
    operation *take_expired(); // one whose deadline has come, or nullptr

private:
    void remove(operation &op);
    void place(operation &op, std::size_t at);
    void sift_up(std::size_t at);
    void sift_down(std::size_t at);
    void arm();

    int descriptor_ = -1;
    operation **heap_ = nullptr; // from 1
    std::size_t count_ = 0;
    std::size_t room_ = 0;
    std::int64_t armed_ns_ = 0;
};

} // namespace laio
