// The heads of responses as bytes. What of a head depends on the file alone is formatted once, by format_file_fields(), and
// can be kept; a response then costs its first lines and one copy of what was kept. Appended to the caller's string, whose
// memory serves one response after the other. Pure; no system calls, and no clock: the date comes from the caller.
#pragma once

#include "http/conditions.hpp"
#include "http/status.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace httpd {

enum class persistence {
    keep,          // HTTP/1.1's default: goes without saying
    keep_announce, // for HTTP/1.0, where it does not
    close,
};

// The fields of a file, in an order in which what a kind of answer has is all from somewhere to the end.
struct file_fields {
    std::string text;                   // ends with the empty line
    std::string::size_type part_at = 0; // all but Content-Length, for a part has another one
    std::string::size_type tag_at = 0;  // ETag: all that a 304 needs (RFC 9110 section 15.4.5)
    std::uint64_t length = 0;           // the file's
};

file_fields format_file_fields(const representation &file);

// Both, as a cache keeps them.
struct file_head {
    representation about;
    file_fields fields;
};

// Appends the head of a file (200), of a part of it (206), or the news that it is unmodified (304): only for what
// sends_file(). `date` is http_date() of now.
void format_head(std::string &head, const judgement &outcome, const file_fields &file, persistence connection,
                 std::string_view date);

// Of an answer that is not a file: its body is body_of(code).
struct answer_head {
    status code = status::ok;
    persistence connection = persistence::keep;
    std::string_view location{};   // for a redirect, encode_path()'s
    std::uint64_t file_length = 0; // for range_not_satisfiable
};

// What a status requires (Allow, Retry-After, Content-Range) is added by itself.
void format_head(std::string &head, const answer_head &answer, std::string_view date);

// The short text that an error or a redirect has for a body: "404 Not Found\n".
std::string body_of(status code);

} // namespace httpd
