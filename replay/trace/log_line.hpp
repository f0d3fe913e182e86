// A line of an access log in the common format, or the combined one, whose further fields are not read:
//   host ident user [day/Mon/year:hour:minute:second zone] "request line" status bytes ...
// Written by any server: quotes in the request line as \" or \x22. Pure; no system calls.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace replay {

struct log_entry {
    std::string_view host{}; // of the line
    std::int64_t time_s = 0; // since 1970
    std::string method{};
    std::string path{}; // as in a request target, what cannot stand in a trace as %XX; empty unless method is GET
    unsigned status = 0;
};

// Nothing if it is no such line, or a GET for what is no path.
std::optional<log_entry> parse_log_line(std::string_view line);

} // namespace replay
