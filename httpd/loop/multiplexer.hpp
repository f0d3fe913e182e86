// Where the event loop waits: for all that its strategies have in the background, whose tasks it tells as it finishes. One
// for each way of waiting; which one a version has follows from its network. Tasks are told from within wait(), so that is
// where a turn begins: whoever is called there says so by woke().
#pragma once

#include "task.hpp"

#include <cstdint>
#include <ctime>
#include <utility>

namespace httpd {

inline std::int64_t monotonic_ns() {
    std::timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

class multiplexer {
public:
    multiplexer() = default;
    multiplexer(const multiplexer &) = delete;
    multiplexer &operator=(const multiplexer &) = delete;
    virtual ~multiplexer() = default;

    // Waits until something has finished, or for so long (-1: without end), and tells the tasks of all that has. Throws
    // std::system_error when it cannot.
    virtual void wait(std::int64_t timeout_ns) = 0;

    // Tells the task when the descriptor is readable: for signals, which no strategy is concerned with.
    virtual outcome readable(task &who, int descriptor) = 0;

    void woke() {
        if (woken_ns_ == 0) woken_ns_ = monotonic_ns();
    }
    // When something had finished, in the wait that is under way or the latest; 0: nothing has.
    std::int64_t woken_ns() const { return woken_ns_; }
    std::int64_t take_woken_ns() { return std::exchange(woken_ns_, 0); }

private:
    std::int64_t woken_ns_ = 0;
};

} // namespace httpd
