// The limits of the caches. Plain values; the command line can set them. Zero entries turn a cache off.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace httpd {

struct cache_limits {
    // Files known by name. Each is an open descriptor, and keeps its inode in the kernel's memory. The descriptors that
    // the process may have (RLIMIT_NOFILE) must be enough for these, for the connections, and for one file of each
    // connection: a file that is put out of the cache stays open for those who are sending it.
    std::size_t files_max = 8192;

    // Names of which an error is known: bounded apart from the files, for whoever asks can make up any number of them.
    std::size_t negative_names_max = 1024;

    // Longer names are not remembered, so that names of either kind have a bound in bytes, too. Request heads allow
    // longer ones; trees that are served hardly have them.
    std::size_t name_bytes_max = 1024;

    // For so long what the disk said of a name holds. A second: Last-Modified can tell no finer difference, who
    // replaces a file sees the new one at once by any human measure, and a file asked for ten thousand times a second
    // costs one status a second. (nginx's default is a minute: too long for who has just replaced a file and looks at
    // it.)
    std::chrono::milliseconds valid{1000};

    // What is unused for so long is given up: until then a deleted file keeps its blocks on the disk. (thttpd keeps its
    // mappings ten times as long; who deletes files to make room will not wait that long.)
    std::chrono::milliseconds idle{60000};

    // Mapped files that nobody uses. Those in use come on top, at most one for each connection; together the number has
    // to keep far from vm.max_map_count (65,530 by default, for all that the process maps). The bytes are address space
    // and page tables, not memory: the pages are those of the page cache, which the kernel takes back when it needs
    // them.
    std::size_t unused_mappings_max = 8192;
    std::uint64_t unused_mapped_bytes_max = std::uint64_t{1} << 30;
};

// At most so many entries are dropped by one call of an expire(): the closes that follow must not come all at once.
inline constexpr std::size_t expired_at_once = 32;

} // namespace httpd
