#include "calls/attempts/nonblocking_twin.hpp"

#include "kernel/system_call.hpp"

#include <charconv>
#include <fcntl.h>

namespace laio {

long open_nonblocking_twin(int descriptor, int access) {
    char path[32] = "/proc/self/fd/";
    *std::to_chars(path + 14, path + sizeof path - 1, descriptor).ptr = '\0';
    return system_call(SYS_openat, AT_FDCWD, word(path), access | O_NONBLOCK | O_CLOEXEC);
}

} // namespace laio
