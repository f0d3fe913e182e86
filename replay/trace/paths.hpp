// The paths of a trace, each once, numbered from 0 in the order in which they were first seen. The bytes lie in an arena
// that only grows, so a view stays good as long as the table lives, wherever it is moved to. One thread at a time writes;
// any number read when nobody does.
// std::deque<std::string> lost: 32 bytes more a path, and a third of a million paths are common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace replay {

using path_index = std::uint32_t;

class path_table {
public:
    // The number of `path`, which is copied when it is new. std::length_error after 2^32 - 1 of them.
    path_index intern(std::string_view path);

    std::string_view operator[](path_index index) const { return paths_[index]; }
    std::size_t size() const { return paths_.size(); }
    auto begin() const { return paths_.begin(); }
    auto end() const { return paths_.end(); }

private:
    std::unique_ptr<std::pmr::monotonic_buffer_resource> bytes_ =
        std::make_unique<std::pmr::monotonic_buffer_resource>();
    std::vector<std::string_view> paths_;
    std::unordered_map<std::string_view, path_index> numbers_;
};

} // namespace replay
