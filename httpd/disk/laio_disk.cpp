#include "disk/laio_disk.hpp"

#include "call.hpp"

#include <linux/openat2.h>

#include <fcntl.h>
#include <sys/syscall.h>

#include <system_error>

namespace httpd::disk {
namespace {

// O_NONBLOCK: opening a FIFO or a device must not wait. Never written to; it outlives every call.
open_how how_to_open = {
    .flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
    .mode = 0,
    .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
};

} // namespace

int open_root(const std::string &directory) {
    const int root = ::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) throw std::system_error(errno, std::generic_category(), "cannot serve " + directory);
    return root;
}

outcome open(task &who, int root, const char *name) {
    return call(who, SYS_openat2, root, name, &how_to_open, sizeof how_to_open);
}

outcome status(task &who, int file, struct stat &result) { return call(who, SYS_fstat, file, &result); }

void make_blocking(task &who, int file) { call(who, SYS_fcntl, file, F_SETFL, 0); }

outcome read(task &who, int file, std::span<char> room, std::int64_t offset) {
    return call(who, SYS_pread64, file, room.data(), room.size(), offset);
}

outcome close(task &who, int file) { return call(who, SYS_close, file); }

} // namespace httpd::disk
