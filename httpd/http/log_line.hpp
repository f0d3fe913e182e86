// A line of the access log in the combined format that nginx and Apache write and that log readers understand:
//   host - - [date] "request line" status bytes "referer" "user agent"
// One line whatever clients send: quotes, backslashes and all that is not printable ASCII are written as \xHH, as nginx
// does, and each field is cut at a length of its own. Pure; no system calls, no allocation.
#pragma once

#include "http/status.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace httpd {

// Bytes of a field as written, at most. What is longer ends in "...".
struct log_limits {
    static constexpr std::size_t host = 64;
    static constexpr std::size_t date = 32;
    static constexpr std::size_t line = 4096;
    static constexpr std::size_t referer = 2048;
    static constexpr std::size_t user_agent = 1024;
};

inline constexpr std::size_t log_line_max =
    log_limits::host + log_limits::date + log_limits::line + log_limits::referer + log_limits::user_agent + 64;

// Where a field is empty a hyphen is written.
struct log_entry {
    std::string_view host{}; // the client's numeric address
    std::string_view line{}; // the request line
    std::string_view referer{};
    std::string_view user_agent{};
    status code = status::ok;
    std::uint64_t body_bytes = 0; // that were sent, the head not counted
};

// `date` is log_date() of when the response ended. The line, with its newline, is in `room`.
std::string_view format_log_line(const log_entry &entry, std::string_view date, std::span<char, log_line_max> room);

} // namespace httpd
