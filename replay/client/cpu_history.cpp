#include "client/cpu_history.hpp"

#include <algorithm>

namespace replay {

namespace {

constexpr std::size_t readings_max = 512;
constexpr double ticks_least = 20; // fewer say nothing

} // namespace

void cpu_history::add(const cpu_reading &now) {
    if (readings_.size() == readings_max) {
        for (std::size_t i = 0; i < readings_max / 2; ++i) readings_[i] = readings_[2 * i];
        readings_.resize(readings_max / 2);
        interval_ *= 2;
    }
    readings_.push_back(now);
}

std::chrono::nanoseconds cpu_history::next() const {
    return readings_.empty() ? std::chrono::nanoseconds(0) : readings_.back().at + interval_;
}

cpu_share cpu_history::middle(double percent) const {
    const std::chrono::duration<double, std::nano> all = readings_.back().at - readings_.front().at;
    const auto edge = std::chrono::nanoseconds(static_cast<std::int64_t>(all.count() * (100 - percent) / 200));
    const auto after = std::ranges::upper_bound(readings_, readings_.front().at + edge, {}, &cpu_reading::at);
    const auto &from = after == readings_.begin() ? *after : *(after - 1);
    const auto &to = *std::ranges::lower_bound(readings_, readings_.back().at - edge, {}, &cpu_reading::at);

    const std::chrono::duration<double> wall = to.at - from.at, own = to.own - from.own;
    cpu_share share{.own = wall.count() > 0 ? own / wall : 0};
    if (from.cpu && to.cpu && to.cpu->all - from.cpu->all >= ticks_least)
        share.cpu_idle = (to.cpu->idle - from.cpu->idle) / (to.cpu->all - from.cpu->all);
    return share;
}

} // namespace replay
