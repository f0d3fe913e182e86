// Which name a request's path means: what follows '?' is no part of it, and %XX stands for a byte. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace replay {

// Nothing if it is malformed.
std::optional<std::string> decode_path(std::string_view path);

} // namespace replay
