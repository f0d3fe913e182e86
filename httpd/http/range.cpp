#include "http/range.hpp"

#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <limits>
#include <optional>

namespace httpd {
namespace {

using kind = range_choice::kind;

constexpr std::string_view blanks = " \t";
constexpr auto npos = std::string_view::npos;

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(blanks);
    return first == npos ? std::string_view() : text.substr(first, text.find_last_not_of(blanks) + 1 - first);
}

// The only element of a list that is not empty (RFC 9110 section 5.6.1.2 has recipients skip empty ones), or nothing.
std::string_view only_element(std::string_view list) {
    std::string_view found;
    for (bool last = false; !last;) {
        const auto comma = list.find(',');
        last = comma == npos;
        const auto element = trimmed(list.substr(0, comma));
        if (!element.empty() && !found.empty()) return {};
        if (!element.empty()) found = element;
        if (!last) list.remove_prefix(comma + 1);
    }
    return found;
}

// Digits alone. A number that is too large is as good as the largest: no file has that many bytes.
std::optional<std::uint64_t> position(std::string_view digits) {
    constexpr auto largest = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t value = 0;
    for (const char c : digits) {
        if (c < '0' || c > '9') return std::nullopt;
        const auto digit = static_cast<std::uint64_t>(c - '0');
        value = value > (largest - digit) / 10 ? largest : value * 10 + digit;
    }
    return digits.empty() ? std::nullopt : std::optional(value);
}

range_choice choose_suffix(std::string_view digits, std::uint64_t length) {
    const auto suffix = position(digits);
    if (!suffix || (length == 0 && *suffix > 0)) return {};
    if (*suffix == 0) return {.what = kind::none};
    const auto part = std::min(*suffix, length);
    return {.what = kind::part, .part = {.first = length - part, .length = part}};
}

} // namespace

range_choice choose_range(std::string_view field, std::uint64_t length) {
    const auto equals = field.find('=');
    if (equals == npos || !boost::beast::iequals({field.data(), equals}, "bytes")) return {};
    const auto range = only_element(field.substr(equals + 1));
    const auto hyphen = range.find('-');
    if (hyphen == npos) return {};
    if (hyphen == 0) return choose_suffix(range.substr(1), length);

    const auto first = position(range.substr(0, hyphen));
    const auto end = range.substr(hyphen + 1);
    const auto last = end.empty() ? std::numeric_limits<std::uint64_t>::max() : position(end);
    if (!first || !last || *last < *first) return {};
    if (*first >= length) return {.what = kind::none};
    return {.what = kind::part, .part = {.first = *first, .length = std::min(*last, length - 1) - *first + 1}};
}

} // namespace httpd
