// The sizes of a workload's files: a log-normal body up to 256 KB and a Pareto tail above, whose bytes are shared out over
// the three classes as asked for. The median and the spread of the body are not parameters: they follow from the shares and
// the mean. Sizes are quantiles of the distribution in equal steps, not draws from it, so that a set of any number of files
// has its sums. Pure; no system calls.
// Independent draws lost: with such a tail the footprint of ten thousand of them varies by a third.
#pragma once

#include "workload/parameters.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace replay {

// Up to 8 KB, up to 256 KB, above: the columns of the paper's Table 2.
enum class size_class { small, medium, large };
inline constexpr std::size_t size_classes = 3;
inline constexpr std::uint64_t small_bytes_max = 8192;
inline constexpr std::uint64_t medium_bytes_max = 262'144;

constexpr size_class class_of(std::uint64_t bytes) {
    if (bytes <= small_bytes_max) return size_class::small;
    return bytes <= medium_bytes_max ? size_class::medium : size_class::large;
}

struct file_sizes {
    std::vector<std::uint64_t> bytes; // ascending
    double body_median_bytes = 0;     // of the log-normal distribution, 0 without one
    double body_sigma = 0;
};

// As many as parameters.files(). std::invalid_argument if there are no such sizes.
file_sizes make_sizes(const workload_parameters &parameters);

} // namespace replay
