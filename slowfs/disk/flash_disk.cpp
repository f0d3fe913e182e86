#include "flash_disk.hpp"

#include <algorithm>
#include <cmath>

namespace slowfs {
namespace {

// The scale for which the distribution's mean is the one that is wanted.
double scale_of(const flash_parameters &parameters) {
    return std::log(static_cast<double>(std::max<nanoseconds::rep>(1, parameters.latency.count()))) -
           parameters.deviation * parameters.deviation / 2;
}

// Neighbours are to be on different channels, but not in turn: strides would all meet on one.
std::uint64_t scatter(std::uint64_t number) {
    number = (number ^ (number >> 32)) * 0x9e3779b97f4a7c15;
    return number ^ (number >> 29);
}

} // namespace

flash_disk::flash_disk(const flash_parameters &parameters)
    : parameters_(parameters), random_(parameters.seed),
      latency_ns_(scale_of(parameters), std::max(parameters.deviation, 1e-9)), free_at_(parameters.channels) {
    activity_.busy.resize(parameters.channels);
}

std::size_t flash_disk::choose(const place &where) const {
    if (parameters_.choice == channel_choice::by_address)
        return scatter(where.address / parameters_.stripe_bytes) % free_at_.size();
    return static_cast<std::size_t>(std::min_element(free_at_.begin(), free_at_.end()) - free_at_.begin());
}

nanoseconds flash_disk::draw_latency() {
    if (parameters_.deviation == 0 || parameters_.latency == nanoseconds::zero()) return parameters_.latency;
    return nanoseconds(std::llround(std::min(latency_ns_(random_), static_cast<double>(duration_max.count()))));
}

void flash_disk::submit(const place &where, std::uint32_t ticket, nanoseconds at) {
    const auto channel = choose(where);
    const double transfer_ns = static_cast<double>(where.bytes) * 1e9 / static_cast<double>(parameters_.rate);
    const auto takes = draw_latency() + nanoseconds(std::llround(transfer_ns));
    free_at_[channel] = std::max(at, free_at_[channel]) + takes;
    ends_.push({ticket, free_at_[channel]});
    ++activity_.accesses;
    activity_.bytes += where.bytes;
    activity_.busy[channel] += takes;
}

std::optional<nanoseconds> flash_disk::next_finish() {
    return ends_.empty() ? std::nullopt : std::optional(ends_.top().at);
}

std::optional<finished_access> flash_disk::take_finished(nanoseconds by) {
    if (ends_.empty() || ends_.top().at > by) return std::nullopt;
    const auto done = ends_.top();
    ends_.pop();
    return done;
}

disk_activity flash_disk::activity(nanoseconds at) const {
    auto counted = activity_;
    for (std::size_t i = 0; i < free_at_.size(); ++i)
        counted.busy[i] -= std::max(nanoseconds::zero(), free_at_[i] - at);
    return counted;
}

} // namespace slowfs
