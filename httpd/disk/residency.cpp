#include "disk/residency.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace httpd {
namespace {

// The same memory again and again, as much as stays in the nearest cache of a CPU.
constexpr std::size_t nowhere_bytes = 16384;

long read_once(int file, off_t offset, std::uint64_t length, int flags) {
    std::array<char, nowhere_bytes> nowhere;
    std::array<iovec, residency_bytes_max / nowhere_bytes> parts;
    int count = 0;
    for (auto left = std::min(length, residency_bytes_max); left > 0;
         left -= parts[static_cast<std::size_t>(count++)].iov_len)
        parts[static_cast<std::size_t>(count)] = {nowhere.data(), std::min<std::size_t>(left, nowhere_bytes)};
    return ::preadv2(file, parts.data(), count, offset, flags);
}

// <linux/cachestat.h> is newer than the C library's kernel headers. The number is the same on all architectures.
constexpr long sys_cachestat = 451;
struct cachestat_range {
    std::uint64_t offset, length;
};
struct cachestat_counts {
    std::uint64_t cached, dirty, writeback, evicted, recently_evicted;
};

enum class presence { all, not_all, untold };

presence presence_of(int file, off_t offset, std::uint64_t length) {
    static const auto page_bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    const cachestat_range range{static_cast<std::uint64_t>(offset), length};
    cachestat_counts counts{};
    if (::syscall(sys_cachestat, file, &range, &counts, 0) != 0) return presence::untold;
    const auto pages = (range.offset + length - 1) / page_bytes - range.offset / page_bytes + 1;
    return counts.cached < pages ? presence::not_all : presence::all;
}

} // namespace

residency look_for(int file, off_t offset, std::uint64_t length) {
    length = std::min(length, residency_bytes_max);
    const auto present = presence_of(file, offset, length);
    if (present == presence::not_all) return {certainty::known, 0};
    const auto found = look_again(file, offset, length);
    if (found.how == certainty::unknown && present == presence::all) return {certainty::likely, length};
    return found;
}

residency look_again(int file, off_t offset, std::uint64_t length) {
    const long got = read_once(file, offset, length, RWF_NOWAIT);
    if (got > 0) return {certainty::known, static_cast<std::uint64_t>(got)};
    if (got == 0) return {certainty::known, length};
    return errno == EAGAIN ? residency{certainty::known, 0} : residency{};
}

// Beyond the end of every file: nothing is found, and nothing looked for, but where the flag is not known.
void read_no_more_than_told(int file) {
    constexpr off_t beyond = off_t{1} << 62;
    if (read_once(file, beyond, 1, RWF_NOWAIT) < 0 && errno == EOPNOTSUPP)
        ::posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM);
}

long read_to_nowhere(int file, off_t offset, std::uint64_t length) {
    std::uint64_t done = 0;
    while (done < length) {
        const long got = read_once(file, offset + static_cast<off_t>(done), length - done, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -1;
        if (got == 0) break;
        done += static_cast<std::uint64_t>(got);
    }
    return static_cast<long>(done);
}

} // namespace httpd
