// A line on standard error that says how a run goes; on a terminal, each over the last one.
#pragma once

#include "report/tally.hpp"

#include <chrono>
#include <cstdint>

namespace replay {

class progress {
public:
    // `sequences`: how many there are to be; 0: nobody knows.
    progress(const tally &counts, std::uint64_t sequences);

    void tell(std::chrono::nanoseconds elapsed);
    void clear(); // the last line, on a terminal

private:
    const tally &counts_;
    std::uint64_t sequences_;
    bool on_terminal_, told_ = false;
    std::chrono::nanoseconds last_{0};
    std::uint64_t last_requests_ = 0, last_bytes_ = 0;
};

} // namespace replay
