// Dates as HTTP writes them (IMF-fixdate, RFC 9110 section 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT". Not strftime(3), whose
// names of days and months follow the locale. Pure; no system calls.
#pragma once

#include <ctime>
#include <string>

namespace httpd {

// The date of `seconds` since 1970. What has no four-digit year (a file system can hold any number) becomes 1970.
std::string http_date(std::time_t seconds);

} // namespace httpd
