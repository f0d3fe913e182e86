// Whether the loop of the calling thread has a ring. Header only: what does not measure LAIO links nothing of it.
#pragma once

#include "common/failure.hpp"

#include <laio/laio.h>

#include <string>

namespace laio::bench {

// Why there is none, or empty.
inline std::string why_no_ring() {
    struct laio_stats stats {};
    stats.size = sizeof stats;
    must(laio_stats(&stats), "laio_stats");
    if ((stats.engines & LAIO_ENGINE_RING) != 0) return "";
    return "no io_uring: " + error_text(stats.ring_errno);
}

} // namespace laio::bench
