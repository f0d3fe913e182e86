#include "http/entity_tag.hpp"

#include <sys/stat.h>

#include <charconv>
#include <cstdint>

namespace httpd {

entity_tag::entity_tag(const struct stat &file) { // NOLINT(cppcoreguidelines-pro-type-member-init): up to length_ it is
    const auto seconds = static_cast<std::uint64_t>(file.st_mtim.tv_sec);
    const auto modified_ns = seconds * 1'000'000'000 + static_cast<std::uint64_t>(file.st_mtim.tv_nsec);
    char *end = text_.data();
    char separator = '"';
    for (const auto number : {modified_ns, static_cast<std::uint64_t>(file.st_size), std::uint64_t{file.st_ino}}) {
        *end++ = separator;
        end = std::to_chars(end, text_.data() + text_.size(), number, 16).ptr;
        separator = '-';
    }
    *end++ = '"';
    length_ = static_cast<std::size_t>(end - text_.data());
}

} // namespace httpd
