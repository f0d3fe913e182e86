// The session files of httperf's --wsesslog. A line is a request: a path, then method=, think= and contents= in any order;
// one that begins with white space belongs to the burst of the line before it; an empty line ends a session; '#' begins a
// comment line. A backslash at the end of quoted contents goes on in the next line.
// A session becomes a sequence: its requests one after another, since a trace has neither bursts nor think times.
#pragma once

#include "trace/left_out.hpp"
#include "trace/trace.hpp"

#include <iosfwd>
#include <string>

namespace replay {

// `name` is for errors (input_error), of which a file without a GET is one.
trace read_httperf(std::istream &in, const std::string &name, left_out &not_taken);

// Each request in a burst of its own, so that httperf sends it when the one before has been answered.
void write_httperf(const trace &from, std::ostream &out, left_out &not_written);

} // namespace replay
