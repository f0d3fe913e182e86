// CLOCK_MONOTONIC in nanoseconds, and no time at all.
#pragma once

#include <cstdint>
#include <time.h>

namespace laio {

inline constexpr timespec no_time{};

inline std::int64_t now_ns(clockid_t clock = CLOCK_MONOTONIC) {
    timespec now{};
    clock_gettime(clock, &now);
    return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

} // namespace laio
