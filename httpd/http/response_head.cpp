#include "http/response_head.hpp"

#include "http/date.hpp"

#include <fmt/format.h>

#include <iterator>

namespace httpd {

std::string format_head(const response_head &head, std::string_view date) {
    std::string text;
    text.reserve(256);
    const auto out = std::back_inserter(text);
    fmt::format_to(out, "HTTP/1.1 {} {}\r\nServer: laio-httpd\r\nDate: {}\r\n", code_of(head.code),
                   reason_of(head.code), date);
    fmt::format_to(out, "Content-Type: {}\r\nContent-Length: {}\r\n", head.content_type, head.content_length);
    if (head.last_modified) fmt::format_to(out, "Last-Modified: {}\r\n", http_date(*head.last_modified));
    if (!head.location.empty()) fmt::format_to(out, "Location: {}\r\n", head.location);
    if (head.code == status::method_not_allowed) text += "Allow: GET, HEAD\r\n";
    if (head.code == status::service_unavailable) text += "Retry-After: 1\r\n";
    if (head.connection == persistence::close) text += "Connection: close\r\n";
    if (head.connection == persistence::keep_announce) text += "Connection: keep-alive\r\n";
    text += "\r\n";
    return text;
}

std::string body_of(status code) { return fmt::format("{} {}\n", code_of(code), reason_of(code)); }

} // namespace httpd
