// Whether the kernel is short of memory for TCP: above the second mark of tcp_mem (tcp(7)) a blocking send may wait however
// much room its socket has. The files of /proc that say so cost some microseconds, so the answer holds for a while.
#pragma once

#include <cstdint>

namespace laio {

class tcp_memory {
public:
    bool is_short(); // false where nobody says

private:
    std::int64_t asked_ns_ = 0; // CLOCK_MONOTONIC; 0: never
    std::int64_t mark_ = 0;     // pages; 0: not read yet, -1: not to be read
    bool is_short_ = false;
};

} // namespace laio
