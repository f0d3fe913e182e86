// Dates as HTTP writes them (IMF-fixdate, RFC 9110 section 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT"; as it reads them (that
// and the two obsolete forms), and as access logs write them. Not strftime(3) and strptime(3), whose names of days and
// months follow the locale. Pure; no system calls.
#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace httpd {

// The date of `seconds` since 1970. What has no four-digit year (a file system can hold any number) becomes 1970.
std::string http_date(std::time_t seconds);

// Seconds since 1970, if `text` is exactly a date in one of the three forms, its day of the week included. `now` says
// which century a year of two digits is in: never more than 50 years ahead.
std::optional<std::time_t> parse_http_date(std::string_view text, std::time_t now);

// "06/Nov/1994:09:49:37 +0100", at a place whose clocks are so many seconds ahead of UTC.
std::string log_date(std::time_t seconds, long ahead_of_utc_seconds);

} // namespace httpd
