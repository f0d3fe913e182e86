// How large the files are that the paths of a trace mean: from a tree, by stat(2), or from a list. A path is taken as a
// server takes it: what follows '?' is not part of it, %XX stands for a byte, and a folder stands for its index.html. So
// several paths may mean one file, and each file says which it is.
#pragma once

#include "workload/file_list.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace replay {

struct found_file {
    std::string identity; // the same for all paths that mean it: in a list its path, in a tree its inode
    std::uint64_t bytes = 0;
};

// The file at a request's path; nothing where there is none.
using file_finder = std::function<std::optional<found_file>(std::string_view)>;

// `folder` must be one; input_error.
file_finder find_in_tree(const std::string &folder);
file_finder find_in_list(const std::vector<listed_file> &files);

} // namespace replay
