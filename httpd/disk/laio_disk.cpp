#include "disk/laio_disk.hpp"

#include "disk/root.hpp"
#include "loop/laio_calls.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace httpd {
namespace {

outcome examined(laio_calls &calls, task &who, outcome result, void *state) {
    const auto &file = *static_cast<opened_file *>(state);
    if (result.failed() || !S_ISREG(file.status.st_mode)) return result;
    return calls.call(who, SYS_fcntl, file.descriptor, F_SETFL, 0);
}

outcome opened(laio_calls &calls, task &who, outcome result, void *state) {
    auto &file = *static_cast<opened_file *>(state);
    if (result.failed()) return result;
    file.descriptor = static_cast<int>(result.value);
    return calls.call_then(examined, &file, who, SYS_fstat, file.descriptor, &file.status);
}

} // namespace

outcome laio_disk::status(task &who, const char *name, struct stat &status) {
    return calls_.call(who, SYS_newfstatat, root_, name, &status, 0);
}

outcome laio_disk::open(task &who, const char *name, opened_file &file) {
    return calls_.call_then(opened, &file, who, SYS_openat2, root_, name, &how_to_open, sizeof how_to_open);
}

outcome laio_disk::bring_in(task & /*who*/, int /*file*/, off_t /*offset*/, std::uint64_t length) {
    return {static_cast<long>(length), 0};
}

// A send from a mapping blocks in the page fault, however it is made.
outcome laio_disk::bring_in(task &who, const void *address, std::size_t length) {
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    const auto begin = reinterpret_cast<std::uintptr_t>(address) / page * page;
    const auto end = reinterpret_cast<std::uintptr_t>(address) + length;
    return calls_.call(who, SYS_madvise, begin, end - begin, MADV_POPULATE_READ);
}

outcome laio_disk::close(task &who, int file) { return calls_.call(who, SYS_close, file); }

} // namespace httpd
