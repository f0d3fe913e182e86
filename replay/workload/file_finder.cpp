#include "workload/file_finder.hpp"

#include "trace/decoded_path.hpp"
#include "trace/input_error.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <unordered_map>

namespace replay {
namespace {

constexpr std::string_view index_name = "index.html";

std::optional<struct stat> stat_of(const std::string &path) {
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0) return {};
    return found;
}

} // namespace

file_finder find_in_tree(const std::string &folder) {
    struct stat found {};
    if (::stat(folder.c_str(), &found) != 0) throw input_error(folder + ": " + std::strerror(errno));
    if (!S_ISDIR(found.st_mode)) throw input_error(folder + ": not a folder");
    return [folder](std::string_view path) -> std::optional<found_file> {
        const auto decoded = decode_path(path);
        if (!decoded) return {};
        std::string place = folder + *decoded;
        auto file = stat_of(place);
        if (file && S_ISDIR(file->st_mode)) {
            if (!place.ends_with('/')) place.push_back('/');
            file = stat_of(place.append(index_name));
        }
        if (!file || !S_ISREG(file->st_mode)) return {};
        return found_file{std::to_string(file->st_dev) + ' ' + std::to_string(file->st_ino),
                          static_cast<std::uint64_t>(file->st_size)};
    };
}

file_finder find_in_list(const std::vector<listed_file> &files) {
    const auto sizes = std::make_shared<std::unordered_map<std::string, std::uint64_t>>();
    sizes->reserve(files.size());
    for (const listed_file &one : files) sizes->emplace(one.path, one.bytes);
    return [sizes](std::string_view path) -> std::optional<found_file> {
        auto decoded = decode_path(path);
        if (!decoded) return {};
        auto found = sizes->find(*decoded);
        if (found == sizes->end()) {
            if (!decoded->ends_with('/')) decoded->push_back('/');
            found = sizes->find(decoded->append(index_name));
        }
        if (found == sizes->end()) return {};
        return found_file{found->first, found->second};
    };
}

} // namespace replay
