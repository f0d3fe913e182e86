// Whether bytes of a file are in memory: asked without waiting for them.
#pragma once

#include "kernel/features.hpp"

#include <cstdint>

namespace laio {

constexpr long sys_cachestat = 451; // newer than the C library's headers; the number is the same on all architectures

enum class residency : std::uint8_t {
    present, // they were just now
    absent,  // one of them was not, or is under read
    untold,  // neither this kernel nor this file system says
};

// By cachestat(2) (Linux 6.5; later ones tell of files that one may write to only), which counts pages that are under read,
// too, and then by reading the last byte with RWF_NOWAIT, which finds those. Where the first says nothing, the first byte is
// read as well; since Linux 6.12 that begins to bring in what it does not find. Lost: mincore(2), which needs a mapping, and
// tells who does not own a file that all of it is there.
residency residency_of(int file, long offset, std::uint64_t length, const features &has);

} // namespace laio
