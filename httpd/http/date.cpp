#include "http/date.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <tuple>

namespace httpd {
namespace {

namespace chrono = std::chrono;

constexpr std::array<std::string_view, 7> weekdays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 7> full_weekdays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                           "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::time_t year_10000 = 253402300800;
constexpr std::time_t year_0 = -62167219200;

// What a date says.
struct civil {
    unsigned weekday = 0;
    unsigned day = 0;
    unsigned month = 0;
    unsigned year = 0;
    unsigned hour = 0;
    unsigned minute = 0;
    unsigned second = 0;
};

// Not gmtime_r(3), which reads /etc/localtime at its first call: from a disk, on the thread of the loop.
struct moment {
    explicit moment(std::time_t seconds)
        : at{chrono::seconds(seconds >= year_0 && seconds < year_10000 ? seconds : 0)},
          midnight(chrono::floor<chrono::days>(at)), day(midnight), time(at - midnight) {}

    unsigned weekday() const { return chrono::weekday{midnight}.c_encoding(); }
    std::string_view month() const { return months[unsigned{day.month()} - 1]; }

    // As if both were in the same year.
    bool is_before(const civil &date) const {
        const chrono::seconds of_day =
            chrono::hours(date.hour) + chrono::minutes(date.minute) + chrono::seconds(date.second);
        return std::tuple(unsigned{day.month()}, unsigned{day.day()}, at - midnight) <
               std::tuple(date.month, date.day, of_day);
    }

    chrono::sys_seconds at;
    chrono::sys_days midnight;
    chrono::year_month_day day;
    chrono::hh_mm_ss<chrono::seconds> time;
};

std::optional<std::time_t> seconds_of(const civil &date) {
    const chrono::year_month_day day{chrono::year(static_cast<int>(date.year)), chrono::month(date.month),
                                     chrono::day(date.day)};
    if (!day.ok() || date.hour > 23 || date.minute > 59 || date.second > 60) return std::nullopt; // 60: a leap second
    const chrono::sys_days midnight{day};
    if (chrono::weekday{midnight}.c_encoding() != date.weekday) return std::nullopt;
    return chrono::sys_seconds{midnight}.time_since_epoch().count() + date.hour * 3600L + date.minute * 60L +
           date.second;
}

// Goes through a text from left to right. After the first thing that is not there nothing else is.
class cursor {
public:
    explicit cursor(std::string_view text) : rest_(text) {}

    bool at_end() const { return good_ && rest_.empty(); }

    bool take(std::string_view expected) {
        good_ = good_ && rest_.starts_with(expected);
        if (good_) rest_.remove_prefix(expected.size());
        return good_;
    }

    unsigned number(std::size_t digits) {
        unsigned value = 0;
        for (; digits > 0; --digits) {
            good_ = good_ && !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9';
            if (!good_) return 0;
            value = value * 10 + static_cast<unsigned>(rest_.front() - '0');
            rest_.remove_prefix(1);
        }
        return value;
    }

    template <std::size_t size> unsigned one_of(const std::array<std::string_view, size> &names) {
        const auto found =
            std::find_if(names.begin(), names.end(), [this](std::string_view name) { return rest_.starts_with(name); });
        good_ = good_ && found != names.end() && take(*found);
        return static_cast<unsigned>(found - names.begin());
    }

    void time_of_day(civil &date) {
        date.hour = number(2);
        take(":");
        date.minute = number(2);
        take(":");
        date.second = number(2);
    }

    // A blank may stand for the first of two digits.
    unsigned padded_number() { return rest_.starts_with(' ') && take(" ") ? number(1) : number(2); }

private:
    std::string_view rest_;
    bool good_ = true;
};

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::optional<std::time_t> parse_imf_fixdate(cursor text) {
    civil date;
    date.weekday = text.one_of(weekdays);
    text.take(", ");
    date.day = text.number(2);
    text.take(" ");
    date.month = text.one_of(months) + 1;
    text.take(" ");
    date.year = text.number(4);
    text.take(" ");
    text.time_of_day(date);
    text.take(" GMT");
    return text.at_end() ? seconds_of(date) : std::nullopt;
}

// "Sunday, 06-Nov-94 08:49:37 GMT"
std::optional<std::time_t> parse_rfc850_date(cursor text, std::time_t now) {
    civil date;
    date.weekday = text.one_of(full_weekdays);
    text.take(", ");
    date.day = text.number(2);
    text.take("-");
    date.month = text.one_of(months) + 1;
    text.take("-");
    const auto year = text.number(2);
    text.take(" ");
    text.time_of_day(date);
    text.take(" GMT");
    if (!text.at_end()) return std::nullopt;

    // Of the years that end so, the last one at most 50 years ahead; or the one before, if only there the weekday is right.
    const moment today(std::max<std::time_t>(now, 0));
    const auto latest = static_cast<unsigned>(int{today.day.year()}) + 50;
    date.year = latest - (latest - year) % 100;
    if (date.year == latest && today.is_before(date)) date.year -= 100;
    const auto found = seconds_of(date);
    if (found) return found;
    date.year -= 100;
    return seconds_of(date);
}

// "Sun Nov  6 08:49:37 1994"
std::optional<std::time_t> parse_asctime_date(cursor text) {
    civil date;
    date.weekday = text.one_of(weekdays);
    text.take(" ");
    date.month = text.one_of(months) + 1;
    text.take(" ");
    date.day = text.padded_number();
    text.take(" ");
    text.time_of_day(date);
    text.take(" ");
    date.year = text.number(4);
    return text.at_end() ? seconds_of(date) : std::nullopt;
}

} // namespace

std::string http_date(std::time_t seconds) {
    const moment then(seconds);
    return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", weekdays[then.weekday()], unsigned{then.day.day()},
                       then.month(), int{then.day.year()}, then.time.hours().count(), then.time.minutes().count(),
                       then.time.seconds().count());
}

std::optional<std::time_t> parse_http_date(std::string_view text, std::time_t now) {
    const auto comma = text.find(',');
    if (comma == std::string_view::npos) return parse_asctime_date(cursor(text));
    return comma == 3 ? parse_imf_fixdate(cursor(text)) : parse_rfc850_date(cursor(text), now);
}

std::string log_date(std::time_t seconds, long ahead_of_utc_seconds) {
    const moment then(seconds + ahead_of_utc_seconds);
    const auto minutes = std::abs(ahead_of_utc_seconds) / 60;
    return fmt::format("{:02}/{}/{:04}:{:02}:{:02}:{:02} {}{:02}{:02}", unsigned{then.day.day()}, then.month(),
                       int{then.day.year()}, then.time.hours().count(), then.time.minutes().count(),
                       then.time.seconds().count(), ahead_of_utc_seconds < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

} // namespace httpd
