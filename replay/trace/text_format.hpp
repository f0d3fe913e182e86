// Our own format of traces. Empty lines and lines that start with '#' are skipped; each other line is a sequence:
//   [@SECONDS ]PATH PATH ...
// with decimal seconds since the trace's start (nine digits after the point at most) and one space between two words.
// Read in a stream, so that a line of gigabytes needs no memory of its size; what is wrong is an input_error.
#pragma once

#include "trace/trace.hpp"

#include <iosfwd>
#include <string>

namespace replay {

// `name` is for errors. A trace without a sequence is one, too.
trace read_text(std::istream &in, const std::string &name);
// The same of a file; "-" is the standard input.
trace read_text_file(const std::string &path);

// The caller looks at the stream's state.
void write_text(const trace &from, std::ostream &out);

} // namespace replay
