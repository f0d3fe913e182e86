#include "workload/file_list.hpp"

#include "trace/input_error.hpp"
#include "trace/input_file.hpp"
#include "trace/line_reader.hpp"
#include "trace/trace.hpp"

#include <charconv>
#include <ostream>

namespace replay {

std::vector<listed_file> read_file_list(std::istream &in, const std::string &name) {
    std::vector<listed_file> files;
    line_reader lines(in);
    while (lines.next()) {
        const std::string &line = lines.text();
        if (line.empty() || line.front() == '#') continue;
        listed_file one;
        const char *begin = line.data();
        const char *end = begin + line.size();
        const auto [rest, error] = std::from_chars(begin, end, one.bytes);
        if (error != std::errc() || end - rest < 2 || rest[0] != ' ' || rest[1] != '/')
            throw input_error(name, lines.number(), "a line is a size, a space and a path that begins with '/'");
        one.path.assign(rest + 1, end);
        if (one.path.size() > trace_limits::path_bytes)
            throw input_error(name, lines.number(),
                              "a path longer than " + std::to_string(trace_limits::path_bytes) + " bytes");
        files.push_back(std::move(one));
    }
    return files;
}

std::vector<listed_file> read_file_list(const std::string &path) {
    input_file in(path);
    return read_file_list(in.stream(), in.name());
}

void write_file_list(const std::vector<listed_file> &files, std::ostream &out) {
    for (const listed_file &one : files) out << one.bytes << ' ' << one.path << '\n';
}

} // namespace replay
