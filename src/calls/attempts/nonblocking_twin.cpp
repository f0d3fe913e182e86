#include "calls/attempts/nonblocking_twin.hpp"

#include "kernel/file.hpp"
#include "kernel/system_call.hpp"

#include <cerrno>
#include <charconv>
#include <fcntl.h>

namespace laio {

long open_nonblocking_twin(int descriptor, int access) {
    const long flags = status_flags(descriptor);
    if (flags < 0 || ((flags & O_ACCMODE) != access && (flags & O_ACCMODE) != O_RDWR)) return -EBADF;
    char path[32] = "/proc/self/fd/";
    *std::to_chars(path + 14, path + sizeof path - 1, descriptor).ptr = '\0';
    return system_call(SYS_openat, AT_FDCWD, word(path), access | O_NONBLOCK | O_CLOEXEC);
}

} // namespace laio
