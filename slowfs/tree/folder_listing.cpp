#include "folder_listing.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace slowfs {
namespace {

namespace fs = std::filesystem;

struct stat status_of(const fs::path &path) {
    struct stat status {};
    if (lstat(path.c_str(), &status) != 0)
        throw fs::filesystem_error("cannot be looked at", path, std::error_code(errno, std::generic_category()));
    return status;
}

std::vector<std::string> names_in(const fs::path &folder) {
    std::vector<std::string> names;
    for (const auto &entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

// `below` is the folder's path in the tree, empty for the root.
std::uint64_t take_down_folder(const fs::path &folder, const std::string &below, tree &into) {
    std::uint64_t left_out = 0;
    for (const auto &name : names_in(folder)) {
        const auto path = folder / name;
        auto shown = below;
        shown.append(1, '/').append(name);
        const auto status = status_of(path);
        if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode)) {
            ++left_out;
            continue;
        }
        const auto number = into.add(shown, static_cast<std::uint64_t>(status.st_size), attributes_of(status));
        if (S_ISDIR(status.st_mode)) left_out += take_down_folder(path, shown, into);
        else if (S_ISLNK(status.st_mode)) into.set_target(number, fs::read_symlink(path).string());
    }
    return left_out;
}

} // namespace

attributes attributes_of(const struct stat &status) {
    return {status.st_mode, status.st_uid, status.st_gid, status.st_mtim.tv_sec};
}

std::uint64_t take_down(const std::string &folder, tree &into) {
    const auto left_out = take_down_folder(folder, "", into);
    into.lay_out();
    return left_out;
}

} // namespace slowfs
