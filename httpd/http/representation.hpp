// What the answers to requests for a file say about it, as far as the file alone decides it (RFC 9110 section 8 calls that
// the metadata of the selected representation). Pure; no system calls.
#pragma once

#include "http/entity_tag.hpp"

#include <cstdint>
#include <ctime>
#include <string_view>

namespace httpd {

struct representation {
    std::string_view media_type; // media_type_of()'s
    std::uint64_t length = 0;
    std::time_t last_modified = 0; // seconds since 1970; never later than when the file was looked at
    entity_tag tag;
};

// `status` is what stat(2) said at `now`. A time of modification in the future becomes `now`, as RFC 9110 section 8.8.2.1
// requires; when the file is looked at again it is another one, and clients fetch the file again.
representation describe(std::string_view name, const struct stat &status, std::time_t now);

} // namespace httpd
