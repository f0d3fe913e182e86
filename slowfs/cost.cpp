#include "cost.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

namespace slowfs {
namespace {

std::optional<cost> parse_cost(std::string_view text) {
    std::uint32_t accesses = 0;
    const char *end = text.data() + text.size();
    if (const auto [rest, error] = std::from_chars(text.data(), end, accesses); error == std::errc{} && rest == end)
        return accesses <= accesses_max ? std::optional(cost{accesses, {}}) : std::nullopt;
    if (const auto delay = parse_duration(text)) return cost{0, *delay};
    return std::nullopt;
}

} // namespace

std::string cost_table::set(std::string_view text) {
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) return fmt::format("'{}' is not OPERATION=COST", text);
    const auto name = text.substr(0, equals);
    const auto *const found = std::find(operation_names.begin(), operation_names.end(), name);
    if (found == operation_names.end())
        return fmt::format("'{}' is no operation; there are: {}", name, fmt::join(operation_names, ", "));
    const auto value = text.substr(equals + 1);
    const auto parsed = parse_cost(value);
    if (!parsed)
        return fmt::format("'{}' is neither a number of accesses (0 to {}) nor a duration such as 5ms, of 24 h at most",
                           value, accesses_max);
    costs_[static_cast<std::size_t>(found - operation_names.begin())] = *parsed;
    return {};
}

} // namespace slowfs
