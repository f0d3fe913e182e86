#include "kernel/residency.hpp"

#include "kernel/system_call.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace laio {
namespace {

// As in <linux/cachestat.h>, which is newer than the C library's kernel headers.
struct cachestat_range {
    std::uint64_t offset, length;
};
struct cachestat_counts {
    std::uint64_t cached, dirty, writeback, evicted, recently_evicted;
};

std::uint64_t pages_in(const cachestat_range &range) {
    static const auto page_bytes = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    return range.length > 0 ? (range.offset + range.length - 1) / page_bytes - range.offset / page_bytes + 1 : 0;
}

// How much of the range is in a file that has a size: what is in no file, as those of procfs have none, cannot be missed.
std::uint64_t length_within(int file, const cachestat_range &range) {
    struct statx status {};
    const long r = system_call(SYS_statx, file, word(""), AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_SIZE,
                               word(&status));
    if (r < 0 || !S_ISREG(status.stx_mode) || status.stx_size <= range.offset) return 0;
    return std::min<std::uint64_t>(range.length, status.stx_size - range.offset);
}

residency pages_of(int file, long offset, std::uint64_t length) {
    cachestat_range range{static_cast<std::uint64_t>(offset), length};
    cachestat_counts counts{};
    if (system_call(sys_cachestat, file, word(&range), word(&counts), 0) < 0) return residency::untold;
    if (counts.cached >= pages_in(range)) return residency::present;
    range.length = length_within(file, range);
    if (range.length == 0) return residency::untold;
    return counts.cached < pages_in(range) ? residency::absent : residency::present;
}

// A byte behind the end of a file is not there, and that is said at once.
residency byte_of(int file, long offset) {
    char byte = 0;
    const iovec one{&byte, 1};
    const long r = system_call(SYS_preadv2, file, word(&one), 1, offset, offset >> 63, RWF_NOWAIT);
    if (r == -EAGAIN) return residency::absent;
    return r < 0 ? residency::untold : residency::present;
}

} // namespace

residency residency_of(int file, long offset, std::uint64_t length, const features &has) {
    const residency pages = has.cachestat ? pages_of(file, offset, length) : residency::untold;
    if (pages == residency::absent || !has.nowait) return pages;
    const residency first = pages == residency::present ? pages : byte_of(file, offset);
    return first == residency::present ? byte_of(file, offset + static_cast<long>(length) - 1) : first;
}

} // namespace laio
