// What the library says of itself, in the calling thread.
#pragma once

#include <cerrno>
#include <cstring>
#include <laio/laio.h>
#include <string>
#include <system_error>

namespace laio::test {

inline struct laio_stats stats_now() {
    struct laio_stats stats {};
    stats.size = sizeof stats;
    if (laio_stats(&stats) != 0) throw std::system_error{errno, std::generic_category(), "laio_stats"};
    return stats;
}

// Why calls are not made in place; empty: they are. To be asked after the first call that could be.
inline std::string why_not_in_place() {
    const struct laio_stats stats = stats_now();
    if ((stats.engines & LAIO_ENGINE_ACTIVATIONS) != 0) return {};
    return std::string{"no activations here: "} + std::strerror(stats.activations_errno);
}

} // namespace laio::test
