// The formats that traces are read from and written in, by name; and which one a file is in, where its beginning says so.
#pragma once

#include "trace/access_log.hpp"
#include "trace/left_out.hpp"
#include "trace/trace.hpp"

#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

namespace replay {

// Common and combined logs are read alike, and cannot be written: a trace has neither clients nor statuses.
enum class trace_format { text, httperf, common, combined };

std::optional<trace_format> format_named(std::string_view name);
std::string_view name_of(trace_format format);

// By the first bytes of a file. Nothing if they fit more than one, as single paths on lines of their own do, or none.
std::optional<trace_format> guess_format(std::string_view beginning);

// input_error if it cannot be.
trace read_trace(std::istream &in, const std::string &name, trace_format format, std::chrono::seconds gap,
                 left_out &not_taken);
void write_trace(const trace &from, std::ostream &out, trace_format format, left_out &not_written);

} // namespace replay
