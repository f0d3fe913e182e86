#include "disk/blocking_disk.hpp"

#include "disk/root.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace httpd {

outcome blocking_disk::status(task & /*who*/, const char *name, struct stat &status) {
    return outcome::of_library(::fstatat(root_, name, &status, 0));
}

outcome blocking_disk::open(task & /*who*/, const char *name, opened_file &file) {
    file.descriptor = static_cast<int>(::syscall(SYS_openat2, root_, name, &how_to_open, sizeof how_to_open));
    if (file.descriptor < 0 || ::fstat(file.descriptor, &file.status) < 0) return outcome::failure(errno);
    return outcome::of_library(S_ISREG(file.status.st_mode) ? ::fcntl(file.descriptor, F_SETFL, 0) : 0);
}

outcome blocking_disk::bring_in(task & /*who*/, int /*file*/, off_t /*offset*/, std::uint64_t length) {
    return {static_cast<long>(length), 0};
}

outcome blocking_disk::bring_in(task & /*who*/, const void * /*address*/, std::size_t length) {
    return {static_cast<long>(length), 0};
}

outcome blocking_disk::close(task & /*who*/, int file) { return outcome::of_library(::close(file)); }

} // namespace httpd
