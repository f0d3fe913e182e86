// The disk's time: real time since it was started, times the speed. Everything that takes time is reckoned in it, so one
// number makes the whole disk faster or slower, seeks and delays and the turning platter alike.
#pragma once

#include "duration.hpp"

#include <algorithm>
#include <cmath>

namespace slowfs {

class disk_clock {
public:
    explicit disk_clock(double speed) : speed_(speed) {}

    [[nodiscard]] double speed() const { return speed_; }
    [[nodiscard]] nanoseconds now() const { return scaled(std::chrono::steady_clock::now() - start_, speed_); }
    // In real time; from 0 on.
    [[nodiscard]] nanoseconds until(nanoseconds due) const {
        return scaled(std::max(due - now(), nanoseconds::zero()), 1 / speed_);
    }
    [[nodiscard]] double real_s(nanoseconds time) const { return std::chrono::duration<double>(time).count() / speed_; }

private:
    static nanoseconds scaled(nanoseconds time, double by) {
        return nanoseconds(std::llround(std::ceil(static_cast<double>(time.count()) * by)));
    }

    double speed_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

} // namespace slowfs
