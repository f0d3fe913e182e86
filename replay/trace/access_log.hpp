// Access logs as traces. A sequence is what one client (an address) asked for without a pause longer than a gap; it starts
// when its first request was logged, counted from the earliest one. GETs that were answered with 2xx or 304 are taken: what
// else a client asked for is not in the tree. Logs are written when a response ends, so times may go back a little.
#pragma once

#include "trace/left_out.hpp"
#include "trace/trace.hpp"

#include <chrono>
#include <iosfwd>
#include <string>

namespace replay {

// Apache's KeepAliveTimeout of old: after so long the connection was closed.
inline constexpr std::chrono::seconds default_gap{15};

// `name` is for errors (input_error): a log in which no line can be taken is one.
trace read_access_log(std::istream &in, const std::string &name, std::chrono::seconds gap, left_out &not_taken);

} // namespace replay
