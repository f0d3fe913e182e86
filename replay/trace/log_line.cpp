#include "trace/log_line.hpp"

#include "hex_digit.hpp"

#include "trace/trace.hpp"

#include <array>
#include <charconv>
#include <chrono>
#include <fmt/format.h>

namespace replay {
namespace {

// All of `text`, as a number in decimal digits.
std::optional<int> number(std::string_view text) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 0) return {};
    return value;
}

std::optional<unsigned> month(std::string_view name) {
    constexpr std::array<std::string_view, 12> names = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    for (unsigned i = 0; i < names.size(); ++i)
        if (names[i] == name) return i + 1;
    return {};
}

// 23/Nov/2026:09:05:00 +0100
std::optional<std::int64_t> parse_date(std::string_view text) {
    if (text.size() != 26 || text[2] != '/' || text[6] != '/' || text[11] != ':' || text[14] != ':' ||
        text[17] != ':' || text[20] != ' ' || (text[21] != '+' && text[21] != '-'))
        return {};
    const auto day = number(text.substr(0, 2)), year = number(text.substr(7, 4));
    const auto hour = number(text.substr(12, 2)), minute = number(text.substr(15, 2)),
               second = number(text.substr(18, 2));
    const auto zone_hours = number(text.substr(22, 2)), zone_minutes = number(text.substr(24, 2));
    const auto month_of_year = month(text.substr(3, 3));
    if (!day || !year || !hour || !minute || !second || !zone_hours || !zone_minutes || !month_of_year) return {};
    const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(*month_of_year),
                                           std::chrono::day(static_cast<unsigned>(*day))};
    // Sequences start so many nanoseconds after the earliest one: years apart more than seconds_max are no log's.
    if (*year < 1970 || *year > 2200 || !date.ok() || *hour > 23 || *minute > 59 || *second > 60) return {};
    using std::chrono::hours, std::chrono::minutes;
    const auto zone = (hours(*zone_hours) + minutes(*zone_minutes)) * (text[21] == '-' ? -1 : 1);
    const std::chrono::seconds time = std::chrono::sys_days(date).time_since_epoch() + hours(*hour) + minutes(*minute) +
                                      std::chrono::seconds(*second) - zone;
    return time.count();
}

// The field that begins after the quote at the front of `rest`, which is left behind its end.
std::optional<std::string> take_quoted(std::string_view &rest) {
    std::string field;
    for (std::size_t i = 1; i < rest.size(); ++i) {
        if (rest[i] == '"') {
            rest.remove_prefix(i + 1);
            return field;
        }
        if (rest[i] != '\\' || i + 1 == rest.size()) {
            field.push_back(rest[i]);
            continue;
        }
        const char escaped = rest[++i];
        if (escaped == 'x' && i + 2 < rest.size() && hex_digit(rest[i + 1]) >= 0 && hex_digit(rest[i + 2]) >= 0) {
            field.push_back(static_cast<char>(hex_digit(rest[i + 1]) * 16 + hex_digit(rest[i + 2])));
            i += 2;
        } else if (escaped == 't') field.push_back('\t');
        else if (escaped == 'n') field.push_back('\n');
        else if (escaped == 'r') field.push_back('\r');
        else field.push_back(escaped);
    }
    return {};
}

// The path of a target in origin form or absolute form; empty for others.
std::string path_of(std::string_view target) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!target.starts_with(scheme)) continue;
        target.remove_prefix(scheme.size());
        const auto slash = target.find('/');
        target = slash == std::string_view::npos ? "/" : target.substr(slash);
        break;
    }
    std::string path;
    for (const char c : target) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte <= ' ' || byte >= 0x7f) path += fmt::format("%{:02X}", byte);
        else path.push_back(c);
    }
    return is_request_path(path) ? path : std::string();
}

} // namespace

std::optional<log_entry> parse_log_line(std::string_view line) {
    log_entry entry;
    entry.host = line.substr(0, line.find(' '));
    // A user's name may hold anything but this.
    const auto bracket = line.find(" [");
    if (entry.host.empty() || bracket == std::string_view::npos || bracket <= entry.host.size()) return {};
    line.remove_prefix(bracket + 2);
    const auto date_end = line.find("] \"");
    if (date_end == std::string_view::npos) return {};
    const auto time = parse_date(line.substr(0, date_end));
    if (!time) return {};
    entry.time_s = *time;
    line.remove_prefix(date_end + 2);
    const auto request = take_quoted(line);
    if (!request || line.size() < 4 || line[0] != ' ' || (line.size() > 4 && line[4] != ' ')) return {};
    const auto status = number(line.substr(1, 3));
    if (!status || *status < 100 || *status > 599) return {};
    entry.status = static_cast<unsigned>(*status);
    const auto space = request->find(' ');
    entry.method = request->substr(0, space);
    if (entry.method != "GET") return entry;
    if (space == std::string::npos) return {};
    // A target that holds spaces ends where the version begins.
    std::string_view target = std::string_view(*request).substr(space + 1);
    if (const auto version = target.rfind(" HTTP/"); version != std::string_view::npos)
        target = target.substr(0, version);
    entry.path = path_of(target);
    if (entry.path.empty()) return {};
    return entry;
}

} // namespace replay
