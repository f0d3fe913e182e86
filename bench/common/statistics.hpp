// The few statistics that the benchmarks print: medians and the range from the 10th to the 90th percentile, because a
// mean is spoilt by one interruption; ratios and differences are taken round by round before they are summed up, so
// that a slow minute of the machine, which meets all ways of a round alike, cancels out. Pure functions, no state.
#pragma once

#include <span>
#include <vector>

namespace laio::bench {

struct spread {
    double median = 0;
    double p10 = 0;
    double p90 = 0;
};

// The value below which `share` (0 to 1) of `values` lie, interpolated between neighbours; NaN when there are none.
double percentile(std::vector<double> values, double share);

spread summarise(std::span<const double> values);

// values[i] / base[i] and values[i] - base[i]; both must have the same length.
std::vector<double> paired_ratios(std::span<const double> values, std::span<const double> base);
std::vector<double> paired_differences(std::span<const double> values, std::span<const double> base);

} // namespace laio::bench
