// Decimal seconds as traces write them, to and from whole nanoseconds: exact, where a double would lose the digits that a
// second reading must find again. Pure; no system calls.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace replay {

// 285 years: what nanoseconds in 64 bits can hold, rounded down.
inline constexpr std::int64_t seconds_max = 9'000'000'000;

// DIGITS[.DIGITS]: at most seconds_max, and nine digits after the point; nothing else, no sign, no exponent.
std::optional<std::chrono::nanoseconds> parse_seconds(std::string_view text);

// Without zeros at the end. `time` is not negative.
std::string format_seconds(std::chrono::nanoseconds time);

} // namespace replay
