#include "kernel/residency.hpp"

#include "kernel/system_call.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
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
    const auto page_bytes = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)); // no static: loops would share its guard
    return (range.offset + range.length - 1) / page_bytes - range.offset / page_bytes + 1;
}

struct count {
    residency says;
    bool is_empty; // nothing was counted where there should be something, if it is in memory
};

count count_pages(int file, const file_extent &extent, const cachestat_range &range, page_counts &seen) {
    if (seen.is_useless(extent.key.device)) return {residency::untold, false};
    cachestat_counts counts{};
    if (const long r = system_call(sys_cachestat, file, word(&range), word(&counts), 0); r < 0) {
        // of somebody else's file, of which there are more, then; of a file system that cannot say
        if (r == -EPERM || r == -EOPNOTSUPP) seen.note_useless(extent.key.device);
        return {residency::untold, false};
    }
    const bool is_believed = seen.believes(extent.key.device, counts.cached);
    if (counts.cached >= pages_in(range)) return {residency::present, false};
    if (!is_believed || extent.has_holes) return {residency::untold, counts.cached == 0 && !extent.has_holes};
    return {residency::absent, false};
}

residency byte_of(int file, std::uint64_t offset) {
    char byte = 0;
    const iovec one{&byte, 1};
    const long r = system_call(SYS_preadv2, file, word(&one), 1, static_cast<long>(offset), 0, RWF_NOWAIT);
    if (r == -EAGAIN) return residency::absent;
    return r < 0 ? residency::untold : residency::present;
}

} // namespace

residency residency_of(int file, const file_extent &extent, long offset, std::uint64_t length, const features &has,
                       page_counts &counts) {
    // what is in no file, as those of procfs have no size, cannot be missed; nor what is behind its end
    const auto first = static_cast<std::uint64_t>(offset);
    if (extent.kind != file_kind::regular || offset < 0 || first >= extent.size || length == 0)
        return residency::untold;
    const cachestat_range range{first, std::min(length, extent.size - first)};
    const count pages = has.cachestat ? count_pages(file, extent, range, counts) : count{residency::untold, false};
    if (pages.says == residency::absent || !has.nowait) return pages.says;
    if (pages.says == residency::untold) {
        const residency byte = byte_of(file, range.offset);
        if (byte != residency::present) return byte;
        if (pages.is_empty) counts.note_useless(extent.key.device);
    }
    return byte_of(file, range.offset + range.length - 1);
}

} // namespace laio
