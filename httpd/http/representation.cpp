#include "http/representation.hpp"

#include "http/media_type.hpp"

#include <sys/stat.h>

#include <algorithm>

namespace httpd {

representation describe(std::string_view name, const struct stat &status, std::time_t now) {
    return {.media_type = media_type_of(name),
            .length = static_cast<std::uint64_t>(status.st_size),
            .last_modified = std::min<std::time_t>(status.st_mtim.tv_sec, now),
            .tag = entity_tag(status)};
}

} // namespace httpd
