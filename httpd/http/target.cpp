#include "http/target.hpp"

namespace httpd {
namespace {

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool is_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
}

// Appends the decoded segment to `name`.
status decode_segment(std::string_view segment, std::string &name) {
    for (std::size_t i = 0; i < segment.size(); ++i) {
        char c = segment[i];
        if (c == '%') {
            if (segment.size() - i < 3) return status::bad_request;
            const int high = hex_value(segment[i + 1]);
            const int low = hex_value(segment[i + 2]);
            if (high < 0 || low < 0) return status::bad_request;
            c = static_cast<char>(high * 16 + low);
            i += 2;
        }
        if (is_control(c)) return status::bad_request;
        if (c == '/') return status::not_found;
        name += c;
    }
    return status::ok;
}

// The path of an absolute-form target ("http://host/path"), or the target itself.
std::string_view without_authority(std::string_view target) {
    if (target.empty() || target.front() == '/') return target;
    const auto scheme_end = target.find("://");
    if (scheme_end == std::string_view::npos) return {};
    const auto path = target.find_first_of("/?", scheme_end + 3);
    return path == std::string_view::npos || target[path] == '?' ? std::string_view("/") : target.substr(path);
}

bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~/").find(c) != std::string_view::npos;
}

} // namespace

status decode_target(std::string_view target, std::string &path) {
    path.clear();
    auto rest = without_authority(target);
    if (rest.empty() || rest.find('#') != std::string_view::npos) return status::bad_request;
    rest = rest.substr(1, rest.find('?') - 1); // npos - 1 is past every end, too

    for (bool last = false; !last;) {
        const auto slash = rest.find('/');
        last = slash == std::string_view::npos;
        const auto start = path.size();
        if (const auto failure = decode_segment(rest.substr(0, slash), path); failure != status::ok) return failure;
        const auto name = std::string_view(path).substr(start);

        if (name.empty() || name == ".") {
            path.resize(start);
        } else if (name == "..") {
            if (start == 0) return status::bad_request;
            path.resize(start - 1); // the slash after the segment that goes, then the segment
            path.resize(path.rfind('/') + 1);
        } else if (!last) {
            path += '/';
        }
        if (!last) rest.remove_prefix(slash + 1);
    }
    return status::ok;
}

std::string encode_path(std::string_view path) {
    static constexpr char digits[] = "0123456789ABCDEF";
    std::string encoded = "/";
    for (const char c : path) {
        if (is_plain(c)) {
            encoded += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        encoded += '%';
        encoded += digits[byte >> 4];
        encoded += digits[byte & 15];
    }
    return encoded;
}

} // namespace httpd
