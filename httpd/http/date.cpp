#include "http/date.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <string_view>

namespace httpd {
namespace {

constexpr std::array<std::string_view, 7> weekdays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::time_t year_10000 = 253402300800;
constexpr std::time_t year_0 = -62167219200;

} // namespace

std::string http_date(std::time_t seconds) {
    if (seconds < year_0 || seconds >= year_10000) seconds = 0;
    // Not gmtime_r(3), which reads /etc/localtime at its first call: from a disk, on the thread of the loop.
    const std::chrono::sys_seconds moment{std::chrono::seconds(seconds)};
    const auto midnight = std::chrono::floor<std::chrono::days>(moment);
    const std::chrono::year_month_day day{midnight};
    const std::chrono::hh_mm_ss time{moment - midnight};
    return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                       weekdays[std::chrono::weekday{midnight}.c_encoding()], unsigned{day.day()},
                       months[unsigned{day.month()} - 1], int{day.year()}, time.hours().count(), time.minutes().count(),
                       time.seconds().count());
}

} // namespace httpd
