#include "disk/root.hpp"

#include <fcntl.h>

#include <cerrno>
#include <system_error>

namespace httpd {

int open_root(const std::string &directory) {
    const int root = ::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) throw std::system_error(errno, std::generic_category(), "cannot serve " + directory);
    return root;
}

open_how how_to_open = {
    .flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
    .mode = 0,
    .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
};

} // namespace httpd
