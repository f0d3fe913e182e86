#include "listing.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace slowfs {
namespace {

listed_file parse(std::string_view line) {
    listed_file file;
    const char *end = line.data() + line.size();
    const auto [rest, error] = std::from_chars(line.data(), end, file.bytes);
    if (error == std::errc::invalid_argument || rest == end || *rest != ' ')
        throw std::invalid_argument("it is not SIZE PATH");
    if (error != std::errc{} || file.bytes > file_bytes_max)
        throw std::invalid_argument(fmt::format("the size is above {}", file_bytes_max));
    file.path = line.substr(static_cast<std::size_t>(rest - line.data()) + 1);
    if (const auto wrong = what_is_wrong_with(file.path); !wrong.empty())
        throw std::invalid_argument(std::string(wrong));
    return file;
}

} // namespace

std::string_view what_is_wrong_with(std::string_view path) {
    if (path.empty() || path.front() != '/') return "the path does not begin with '/'";
    if (path.size() > path_bytes_max) return "the path is longer than 8192 bytes";
    if (path.find('\0') != std::string_view::npos) return "the path contains a zero byte";
    while (!path.empty()) {
        path.remove_prefix(1);
        const auto name = path.substr(0, path.find('/'));
        if (name.empty()) return "the path contains an empty name";
        if (name == "." || name == "..") return "the path contains '.' or '..'";
        if (name.size() > name_bytes_max) return "the path contains a name of more than 255 bytes";
        path.remove_prefix(name.size());
    }
    return {};
}

void read_listing(std::istream &from, const std::string &name, const std::function<void(const listed_file &)> &add) {
    std::array<char, path_bytes_max + sizeof "18446744073709551615 "> buffer{};
    const auto fail = [&name](std::uint64_t number, std::string_view what) {
        throw listing_error(fmt::format("{}:{}: {}", name, number, what));
    };
    for (std::uint64_t number = 1; from.getline(buffer.data(), buffer.size()) || from.gcount() > 0; ++number) {
        if (from.fail()) fail(number, "the line is too long");
        const std::string_view line(buffer.data(), static_cast<std::size_t>(from.gcount()) - (from.eof() ? 0 : 1));
        if (line.empty() || line.front() == '#') continue;
        try {
            add(parse(line));
        } catch (const std::invalid_argument &wrong) { fail(number, wrong.what()); }
    }
    if (!from.eof()) throw listing_error(fmt::format("{}: cannot be read to its end", name));
}

} // namespace slowfs
