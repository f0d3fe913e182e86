// Durations as the command line has them: a number and its unit, "8.5ms". The unit is never left out: a bare number would
// mean a different thing to each reader, and in --cost it counts accesses. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace slowfs {

using std::chrono::nanoseconds;

inline constexpr nanoseconds duration_max = std::chrono::hours(24);

// Units: ns, us, ms, s. Nothing, if it is not one, or negative, or longer than duration_max.
std::optional<nanoseconds> parse_duration(std::string_view text);

// In the largest unit that leaves at least 1, so that parse_duration() takes it back.
std::string print_duration(nanoseconds duration);

} // namespace slowfs
