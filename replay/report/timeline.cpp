#include "report/timeline.hpp"

#include <algorithm>

namespace replay {

namespace {
constexpr std::size_t slots_max = 4096;
}

timeline::timeline() : slots_(slots_max), slot_length_(std::chrono::milliseconds(1)) {}

void timeline::add(duration since_start, std::uint64_t requests, std::uint64_t bytes) {
    since_start = std::max(since_start, duration{0});
    while (since_start >= slot_length_ * slots_max) coarsen();
    auto &here = slots_[static_cast<std::size_t>(since_start / slot_length_)];
    here.requests += requests;
    here.bytes += bytes;
}

void timeline::coarsen() {
    for (std::size_t i = 0; i < slots_max / 2; ++i)
        slots_[i] = {slots_[2 * i].requests + slots_[2 * i + 1].requests,
                     slots_[2 * i].bytes + slots_[2 * i + 1].bytes};
    std::fill(slots_.begin() + slots_max / 2, slots_.end(), slot{});
    slot_length_ *= 2;
}

flow timeline::between(duration from, duration to) const {
    flow sum;
    const auto length = static_cast<double>(slot_length_.count());
    for (std::size_t i = 0; i < slots_max; ++i) {
        const auto begin = slot_length_ * static_cast<std::int64_t>(i);
        const auto inside = std::min(to, begin + slot_length_) - std::max(from, begin);
        if (inside <= duration{0}) continue;
        const double share = static_cast<double>(inside.count()) / length;
        sum.requests += share * static_cast<double>(slots_[i].requests);
        sum.bytes += share * static_cast<double>(slots_[i].bytes);
    }
    return sum;
}

} // namespace replay
