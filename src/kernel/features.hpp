// What this kernel (and the filter that a container may have put before it) lets us use beside the ring, asked once when
// a loop is made. What is forbidden by option or by LAIO_FORBID is not even asked for: a filter may answer by killing.
#pragma once

#include <cstdint>

namespace laio {

struct features {
    bool nowait = false; // preadv2 and pwritev2 with RWF_NOWAIT
    bool cached = false; // openat2 with RESOLVE_CACHED
    bool pidfd = false;  // pidfd_open
    bool cachestat = false;
    bool attempts = true; // any non-blocking form at all
    int nowait_errno = 0; // why not
    int cached_errno = 0;
    int pidfd_errno = 0;
    int cachestat_errno = 0;
};

// LAIO_FORBID_... bits for the names in `list` (LAIO_FORBID's value; may be null): exactly as they are listed there, with
// commas between. A name that is not known says nothing; *unknown (if wanted) is where the first one starts, or null.
std::uint32_t parse_forbidden(const char *list, const char **unknown);

// The bit's name, from index 0 on; nullptr past the last.
const char *forbidden_name(unsigned index);

features ask_features(std::uint32_t forbidden);

} // namespace laio
