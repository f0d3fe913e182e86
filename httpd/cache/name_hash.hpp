// The hash of names, for containers that are asked with a std::string_view and must make no std::string of it.
// It is not keyed: who knows it can make up names that collide. What such names may cost is bounded where they are
// kept.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace httpd {

struct name_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
};

} // namespace httpd
