// How often which time was seen. Buckets are log-linear, as in HdrHistogram: 128 to each doubling, so that no value in a
// bucket differs from its middle by more than 0.4 %; below 256 ns each value has one of its own. The count, the sum, the
// least and the greatest value are exact. Fixed memory (58 KB), recording is a few instructions. One thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace replay {

class histogram {
public:
    using value = std::chrono::nanoseconds;

    struct bucket {
        value from, to; // what it holds: from <= x < to
        std::uint64_t count;
    };

    histogram();

    void record(value seen); // a negative one counts as 0

    std::uint64_t count() const { return count_; }
    value mean() const; // this and the following: 0 when none was seen
    value least() const { return count_ == 0 ? value{0} : least_; }
    value greatest() const { return greatest_; }
    // The smallest value that `share` (0 to 1) of those seen do not exceed, within 0.4 %.
    value quantile(double share) const;

    std::vector<bucket> buckets() const; // those that are not empty, in order

private:
    std::vector<std::uint64_t> counts_;
    std::uint64_t count_ = 0;
    double sum_ns_ = 0; // 2^53 ns, which are 104 days, without any error
    value least_{0}, greatest_{0};
};

} // namespace replay
