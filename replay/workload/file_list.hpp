// A list of files with their sizes: lines `SIZE PATH`, the path to the end of the line, decoded, beginning with '/'. Empty
// lines and lines that start with '#' are skipped. What is wrong is an input_error.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

namespace replay {

struct listed_file {
    std::uint64_t bytes = 0;
    std::string path{};

    bool operator==(const listed_file &) const = default;
};

// `name` is for errors.
std::vector<listed_file> read_file_list(std::istream &in, const std::string &name);
std::vector<listed_file> read_file_list(const std::string &path);

// The caller looks at the stream's state.
void write_file_list(const std::vector<listed_file> &files, std::ostream &out);

} // namespace replay
