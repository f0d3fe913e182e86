// How many there are of something: now, at most, and in the mean over time. Plain numbers; times never go back.
#pragma once

#include "duration.hpp"

#include <algorithm>
#include <cstdint>

namespace slowfs {

class depth {
public:
    void change(int by, nanoseconds at) {
        integral_s_ = integral_s(at);
        since_ = std::max(since_, at);
        now_ = static_cast<std::uint64_t>(static_cast<std::int64_t>(now_) + by);
        most_ = std::max(most_, now_);
    }

    [[nodiscard]] std::uint64_t now() const { return now_; }
    [[nodiscard]] std::uint64_t most() const { return most_; }
    // The mean is its difference between two times, divided by the time between them.
    [[nodiscard]] double integral_s(nanoseconds at) const {
        return integral_s_ +
               static_cast<double>(now_) * std::chrono::duration<double>(std::max(at, since_) - since_).count();
    }

private:
    std::uint64_t now_ = 0;
    std::uint64_t most_ = 0;
    double integral_s_ = 0;
    nanoseconds since_{0};
};

} // namespace slowfs
