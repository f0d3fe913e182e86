#include "trace/paths.hpp"

#include <cstring>
#include <limits>
#include <stdexcept>

namespace replay {

path_index path_table::intern(std::string_view path) {
    if (const auto found = numbers_.find(path); found != numbers_.end()) return found->second;
    if (paths_.size() >= std::numeric_limits<path_index>::max()) throw std::length_error("too many different paths");
    auto *bytes = static_cast<char *>(bytes_->allocate(path.size(), 1));
    std::memcpy(bytes, path.data(), path.size());
    const std::string_view copy{bytes, path.size()};
    const auto index = static_cast<path_index>(paths_.size());
    paths_.push_back(copy);
    numbers_.emplace(copy, index);
    return index;
}

} // namespace replay
