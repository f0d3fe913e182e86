#include "disk/errand.hpp"

#include "disk/residency.hpp"
#include "disk/root.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace httpd {
namespace {

errand_result examine(int root, const char *name) {
    errand_result result;
    if (::fstatat(root, name, &result.status, 0) != 0) return errand_result::failure(errno);
    return result;
}

errand_result open_beneath(int root, const char *name) {
    errand_result result;
    result.value = ::syscall(SYS_openat2, root, name, &how_to_open, sizeof how_to_open);
    if (result.value < 0) return errand_result::failure(errno);
    const int file = static_cast<int>(result.value);
    if (::fstat(file, &result.status) == 0 && (!S_ISREG(result.status.st_mode) || ::fcntl(file, F_SETFL, 0) == 0))
        return result;
    const int error = errno;
    ::close(file);
    return errand_result::failure(error);
}

errand_result read_range(const errand_order &order, int file) {
    read_no_more_than_told(file);
    const long length = read_to_nowhere(file, order.offset, order.length);
    return length < 0 ? errand_result::failure(errno) : errand_result{length, 0, {}};
}

} // namespace

errand_result run_errand(int root, const errand_order &order, const char *name, int file) {
    switch (order.what) {
    case errand_kind::status: return examine(root, name);
    case errand_kind::open: return open_beneath(root, name);
    case errand_kind::read: return read_range(order, file);
    }
    return errand_result::failure(EINVAL);
}

} // namespace httpd
