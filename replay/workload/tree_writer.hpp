// Writes the files of a workload. They come into `FOLDER.partial`, which gets its name when all is on disk: what is at
// FOLDER is whole. A folder of that name from a run that was killed is removed first; what an error left, at once.
#pragma once

#include "workload/file_list.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace replay {

// Bytes written so far.
using tree_progress = std::function<void(std::uint64_t)>;

// std::system_error or std::runtime_error with what went wrong; then nothing is left. `folder` must not exist; the folder
// that it is in must. Whether there is room is asked before the first byte.
void write_tree(const std::vector<listed_file> &files, const std::string &folder, const tree_progress &progress);

} // namespace replay
