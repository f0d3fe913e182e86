// See statistics.hpp.
#include "statistics.hpp"

#include "failure.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>

namespace laio::bench {
namespace {

template <typename operation_type>
std::vector<double> paired(std::span<const double> values, std::span<const double> base, operation_type operation) {
    if (values.size() != base.size()) fail("paired statistics of {} and {} values", values.size(), base.size());
    std::vector<double> result(values.size());
    std::transform(values.begin(), values.end(), base.begin(), result.begin(), operation);
    return result;
}

} // namespace

double percentile(std::vector<double> values, double share) {
    if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
    std::sort(values.begin(), values.end());
    const double place = std::clamp(share, 0.0, 1.0) * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(std::floor(place));
    const std::size_t above = std::min(below + 1, values.size() - 1);
    return std::lerp(values[below], values[above], place - std::floor(place));
}

spread summarise(std::span<const double> values) {
    const std::vector<double> copy(values.begin(), values.end());
    return {.median = percentile(copy, 0.5), .p10 = percentile(copy, 0.1), .p90 = percentile(copy, 0.9)};
}

std::vector<double> paired_ratios(std::span<const double> values, std::span<const double> base) {
    return paired(values, base, std::divides<>());
}

std::vector<double> paired_differences(std::span<const double> values, std::span<const double> base) {
    return paired(values, base, std::minus<>());
}

} // namespace laio::bench
