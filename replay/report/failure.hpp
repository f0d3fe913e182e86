// The ways in which a request can fail, each counted apart. A request fails once, for the first reason that was seen.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace replay {

enum class failure {
    none,
    refused,     // nobody listens
    unreachable, // any other answer to connect()
    local,       // this machine has no descriptor or port left
    reset,       // the connection broke
    timeout,     // nothing came, or could be sent, for too long
    closed,      // the server closed without a response, and had not said that it would
    truncated,   // it closed amid a response
    too_long,    // more came than the response said
    malformed,   // not an HTTP response, or a head without an end
    bad_status,  // a whole response, but not 2xx
    wrong_body,  // a whole response, but not the file's bytes
};

inline constexpr std::array<std::string_view, 12> failure_names{"none",     "refused",   "unreachable", "local",
                                                                "reset",    "timeout",   "closed",      "truncated",
                                                                "too_long", "malformed", "bad_status",  "wrong_body"};

constexpr std::string_view name_of(failure kind) { return failure_names[static_cast<std::size_t>(kind)]; }

} // namespace replay
