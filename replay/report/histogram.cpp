#include "report/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace replay {

namespace {

constexpr int fine_bits = 7;
constexpr std::uint64_t fine = std::uint64_t{1} << fine_bits;

// Values below 2 * fine are their own index. Above, the leading bit gives the doubling, the seven bits after it the place.
std::size_t index_of(std::uint64_t ns) {
    const int shift = std::max(static_cast<int>(std::bit_width(ns)) - 1 - fine_bits, 0);
    return static_cast<std::size_t>(static_cast<std::uint64_t>(shift) * fine + (ns >> shift));
}

std::uint64_t start_of(std::size_t index) {
    if (index < 2 * fine) return index;
    const auto shift = index / fine - 1;
    return (index - shift * fine) << shift;
}

constexpr std::size_t indices = (63 - fine_bits + 1) * fine; // of all values below 2^63

histogram::value as_time(std::uint64_t ns) {
    return histogram::value{static_cast<std::int64_t>(std::min<std::uint64_t>(ns, INT64_MAX))};
}

} // namespace

histogram::histogram() : counts_(indices) {}

void histogram::record(value seen) {
    seen = std::max(seen, value{0});
    ++counts_[index_of(static_cast<std::uint64_t>(seen.count()))];
    least_ = count_ == 0 ? seen : std::min(least_, seen);
    greatest_ = std::max(greatest_, seen);
    sum_ns_ += static_cast<double>(seen.count());
    ++count_;
}

histogram::value histogram::mean() const {
    return count_ == 0 ? value{0} : value{std::llround(sum_ns_ / static_cast<double>(count_))};
}

histogram::value histogram::quantile(double share) const {
    if (count_ == 0) return value{0};
    const auto rank = std::clamp<std::uint64_t>(
        static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_))), 1, count_);
    std::size_t index = 0;
    for (std::uint64_t below = counts_[0]; below < rank; below += counts_[index]) ++index;
    const auto from = start_of(index);
    const auto middle = as_time(from + (start_of(index + 1) - from) / 2);
    return std::clamp(middle, least_, greatest_);
}

std::vector<histogram::bucket> histogram::buckets() const {
    std::vector<bucket> filled;
    for (std::size_t i = 0; i < counts_.size(); ++i)
        if (counts_[i] > 0) filled.push_back({as_time(start_of(i)), as_time(start_of(i + 1)), counts_[i]});
    return filled;
}

} // namespace replay
