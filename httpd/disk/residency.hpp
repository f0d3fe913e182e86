// Whether sendfile(2) would find bytes of a file in the page cache. No state, any thread. Asked before every send of a
// cached file, so it is one system call, or two.
// The answer is a read with RWF_NOWAIT, which copies up to the first page that is absent or still under read: what it got
// can be sent. A read of one byte of each page takes four times as long as that copy; pages cannot be left out, since any
// may be gone, and a large folio or a read-ahead is nothing that can be seen from here.
// mincore(2) lost: to who neither owns the file nor may write to it, it says that everything is in memory.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace httpd {

enum class certainty {
    known,   // the bytes can be sent without waiting; what follows them could not
    likely,  // all pages are there, by cachestat(2), which does not see whether one of them is still under read
    unknown, // the file system has no RWF_NOWAIT
};

struct residency {
    certainty how = certainty::unknown;
    std::uint64_t bytes = 0; // from the offset on; beyond the end of the file there is nothing to wait for
};

inline constexpr std::uint64_t residency_bytes_max = 262144; // of which it tells in one go

// The first look. Where cachestat(2) is allowed and finds a page absent, that is the end of it: the read would begin to
// read ahead, which is not for the event loop to do.
residency look_for(int file, off_t offset, std::uint64_t length);

// After somebody has read the bytes. Without cachestat(2), to which nothing behind an overlay is ever there.
residency look_again(int file, off_t offset, std::uint64_t length);

// Where that is likely at best, has the kernel not read ahead, through this descriptor and those made of it: then no page is
// under read but those that somebody asked for. Costs about nothing. Async-signal-safe, as is the next one.
void read_no_more_than_told(int file);

// Reads bytes into the page cache and nowhere else, waiting for the disk. How many there were, fewer at the end of the
// file only; or -1 and errno.
long read_to_nowhere(int file, off_t offset, std::uint64_t length);

} // namespace httpd
