// The head of a response as bytes. Pure; no system calls, and no clock: the date comes from the caller.
#pragma once

#include "http/status.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace httpd {

enum class persistence {
    keep,          // HTTP/1.1's default: goes without saying
    keep_announce, // for HTTP/1.0, where it does not
    close,
};

struct response_head {
    status code = status::ok;
    std::uint64_t content_length = 0;
    std::string_view content_type;
    std::optional<std::int64_t> last_modified; // seconds since 1970
    std::string_view location;                 // for a redirect, encode_path()'s
    persistence connection = persistence::keep;
};

// `date` is http_date() of now. What a status requires (Allow, Retry-After) is added by itself.
std::string format_head(const response_head &head, std::string_view date);

// The short text that an error or a redirect has for a body: "404 Not Found\n".
std::string body_of(status code);

} // namespace httpd
