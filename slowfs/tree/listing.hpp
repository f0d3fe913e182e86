// Lists of files: a line `SIZE PATH` for each, the path with its leading '/' and nothing escaped; it may contain spaces, and
// ends where the line does. Empty lines and those that begin with '#' mean nothing. No line is longer than a
// size and a path can be. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace slowfs {

inline constexpr std::size_t path_bytes_max = 8192;
inline constexpr std::size_t name_bytes_max = 255;
inline constexpr std::uint64_t file_bytes_max = std::uint64_t{1} << 50U;

struct listed_file {
    std::string_view path;
    std::uint64_t bytes = 0;
};

// Names the list and its line.
class listing_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// Of a path from the root on: why it cannot be one; or empty.
std::string_view what_is_wrong_with(std::string_view path);

// Calls `add` for each file, in order; what that throws as a std::invalid_argument is wrong with the line.
void read_listing(std::istream &from, const std::string &name, const std::function<void(const listed_file &)> &add);

} // namespace slowfs
