#include "arm.hpp"

#include <algorithm>
#include <cmath>

namespace slowfs {
namespace {

constexpr double ns_per_s = 1e9;

nanoseconds rounded(double ns) { return nanoseconds(std::llround(ns)); }

double fraction(double number) { return number - std::floor(number); }

} // namespace

arm::arm(const arm_parameters &parameters)
    : parameters_(parameters), rotation_ns_(parameters.rpm > 0 ? 60 * ns_per_s / parameters.rpm : 0),
      revolution_bytes_(static_cast<double>(parameters.rate) * rotation_ns_ / ns_per_s) {}

// None on the same track.
std::uint64_t arm::distance(std::uint64_t address) const {
    const auto far = std::max(address, position_) - std::min(address, position_);
    return static_cast<double>(far) < revolution_bytes_ ? 0 : far;
}

nanoseconds arm::seek_time(std::uint64_t distance) const {
    if (distance == 0) return nanoseconds::zero();
    const double of_span = std::min(1.0, static_cast<double>(distance) /
                                             static_cast<double>(std::max<std::uint64_t>(1, parameters_.span_bytes)));
    const auto range = static_cast<double>((parameters_.seek_max - parameters_.seek_min).count());
    return parameters_.seek_min + rounded(range * std::pow(of_span, parameters_.seek_exponent));
}

nanoseconds arm::wait_for(std::uint64_t address, nanoseconds at) const {
    if (rotation_ns_ == 0) return nanoseconds::zero();
    const double place = static_cast<double>(address) / revolution_bytes_;
    const double platter = static_cast<double>(at.count()) / rotation_ns_;
    return rounded(fraction(fraction(place) - fraction(platter) + 1) * rotation_ns_);
}

nanoseconds arm::transfer_time(std::uint64_t bytes) const {
    return rounded(static_cast<double>(bytes) * ns_per_s / static_cast<double>(parameters_.rate));
}

arm::way arm::way_to(const place &where, nanoseconds at) const {
    way found;
    const double since_ns = static_cast<double>((at - stood_there_).count());
    const double gone_by = since_ns * static_cast<double>(parameters_.rate) / ns_per_s;
    const bool still_reads = gone_by <= static_cast<double>(parameters_.ahead_bytes);
    const auto kept = still_reads ? static_cast<std::uint64_t>(gone_by) : parameters_.ahead_bytes;
    if (where.address >= position_ && where.address - position_ <= kept) {
        found.is_ahead = true;
        found.buffered = kept - (where.address - position_);
        if (!still_reads && found.buffered < where.bytes) found.rotation = wait_for(where.address + found.buffered, at);
        return found;
    }
    found.distance = distance(where.address);
    found.seek = seek_time(found.distance);
    found.rotation = wait_for(where.address, at + found.seek);
    return found;
}

nanoseconds arm::positioning(const place &where, nanoseconds at) const {
    const way there = way_to(where, at);
    return there.seek + there.rotation;
}

nanoseconds arm::serve(const place &where, nanoseconds at) {
    const way there = way_to(where, at);
    const auto from_buffer = std::min<std::uint64_t>(where.bytes, there.buffered);
    const auto takes = there.seek + there.rotation + transfer_time(where.bytes - from_buffer);

    ++activity_.accesses;
    activity_.bytes += where.bytes;
    activity_.seeks += there.distance != 0 ? 1 : 0;
    activity_.seek_bytes += static_cast<double>(there.distance);
    activity_.seeking += there.seek;
    activity_.rotating += there.rotation;
    activity_.ahead_hits += there.is_ahead ? 1 : 0;

    position_ = where.address + where.bytes;
    // What is left in the buffer has passed before; where room was made in a full one, it is read on as if it had not been full.
    stood_there_ = at + takes - transfer_time(there.buffered - from_buffer);
    return takes;
}

} // namespace slowfs
