#include "trace/decoded_path.hpp"

#include <charconv>
#include <system_error>

namespace replay {

std::optional<std::string> decode_path(std::string_view path) {
    path = path.substr(0, path.find('?'));
    std::string decoded;
    for (std::size_t i = 0; i < path.size(); ++i) {
        if (path[i] != '%') {
            decoded.push_back(path[i]);
            continue;
        }
        unsigned byte = 0;
        const auto digits = path.substr(i + 1, 2);
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
        if (digits.size() < 2 || error != std::errc() || end != digits.data() + 2 || byte == 0) return {};
        decoded.push_back(static_cast<char>(byte));
        i += 2;
    }
    return decoded;
}

} // namespace replay
