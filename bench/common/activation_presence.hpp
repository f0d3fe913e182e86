// Whether the loop of the calling thread makes calls in place that it can leave behind when they block. Header only, as
// ring_presence.hpp.
#pragma once

#include "common/failure.hpp"

#include <laio/laio.h>

#include <sys/mman.h>
#include <sys/syscall.h>

#include <cerrno>
#include <string>

namespace laio::bench {

inline struct laio_stats stats_now() {
    struct laio_stats stats {};
    stats.size = sizeof stats;
    must(laio_stats(&stats), "laio_stats");
    return stats;
}

// Of the calls that may block for the library (route `activation`) the one that is most like getppid(2): for a length
// of nothing the kernel says 0 after a look at the arguments, with no lock and no reference, on every architecture.
inline long empty_activation() { return laio_syscall(SYS_msync, nullptr, 0L, MS_ASYNC); }

// Why there are none, or empty. The loop sets them up with the first call that needs them, so one is made.
inline std::string why_no_activations() {
    if (empty_activation() == -1 && errno == EINPROGRESS) {
        laio_completion completion;
        while (laio_poll(&completion, 1, nullptr) < 0 && errno == EINTR) {}
    }
    const struct laio_stats stats = stats_now();
    if ((stats.engines & LAIO_ENGINE_ACTIVATIONS) != 0) return "";
    return "no activations: " + error_text(stats.activations_errno);
}

} // namespace laio::bench
