#include "duration.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

namespace slowfs {
namespace {

struct unit {
    std::string_view name;
    double ns;
};
// From the largest on.
constexpr std::array<unit, 4> units{{{"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1}}};

} // namespace

std::optional<nanoseconds> parse_duration(std::string_view text) {
    double number = 0;
    const char *end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
    if (error != std::errc{} || !std::isfinite(number) || std::signbit(number)) return std::nullopt;
    for (const unit &one : units)
        if (one.name == std::string_view(rest, static_cast<std::size_t>(end - rest))) {
            const double ns = std::round(number * one.ns);
            if (ns > static_cast<double>(duration_max.count())) return std::nullopt;
            return nanoseconds(static_cast<nanoseconds::rep>(ns));
        }
    return std::nullopt;
}

std::string print_duration(nanoseconds duration) {
    const auto ns = static_cast<double>(duration.count());
    for (const unit &one : units)
        if (ns >= one.ns) return fmt::format("{}{}", ns / one.ns, one.name);
    return "0ms";
}

} // namespace slowfs
