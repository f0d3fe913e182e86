#include "trace/seconds.hpp"

#include <cstdint>
#include <fmt/format.h>

namespace replay {
namespace {

constexpr std::size_t fraction_digits = 9;
constexpr std::size_t digits_max = 10;

// At most ten digits; nothing if there is none, too many, or anything else.
std::optional<std::int64_t> parse_digits(std::string_view text) {
    if (text.empty() || text.size() > digits_max) return {};
    std::int64_t value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return {};
        value = value * 10 + (c - '0');
    }
    return value;
}

} // namespace

std::optional<std::chrono::nanoseconds> parse_seconds(std::string_view text) {
    const auto point = text.find('.');
    const auto whole = parse_digits(text.substr(0, point));
    if (!whole || *whole > seconds_max) return {};
    std::chrono::nanoseconds time = std::chrono::seconds(*whole);
    if (point == std::string_view::npos) return time;
    std::string fraction(text.substr(point + 1));
    if (fraction.empty() || fraction.size() > fraction_digits) return {};
    fraction.resize(fraction_digits, '0');
    const auto nanoseconds = parse_digits(fraction);
    if (!nanoseconds) return {};
    return time + std::chrono::nanoseconds(*nanoseconds);
}

std::string format_seconds(std::chrono::nanoseconds time) {
    constexpr std::int64_t second = 1'000'000'000;
    std::string text = fmt::format("{}.{:09}", time.count() / second, time.count() % second);
    text.resize(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    return text;
}

} // namespace replay
