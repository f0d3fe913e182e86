#include "report/progress.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <cstdio>

namespace replay {

namespace {
constexpr const char *back_and_erase = "\r\033[K";
}

progress::progress(const tally &counts, std::uint64_t sequences)
    : counts_(counts), sequences_(sequences), on_terminal_(isatty(STDERR_FILENO) != 0) {}

void progress::tell(std::chrono::nanoseconds elapsed) {
    const double since_last_s = std::chrono::duration<double>(elapsed - last_).count();
    const auto requests = static_cast<double>(counts_.requests - last_requests_);
    const auto bytes = static_cast<double>(counts_.body_bytes - last_bytes_);
    const auto of_all = sequences_ == 0 ? std::string()
                                        : fmt::format(" ({:.0f} %)", 100 * static_cast<double>(counts_.sequences) /
                                                                         static_cast<double>(sequences_));
    fmt::print(stderr, "{}{:.0f} s: {} sequences{}, {:.1f} Mb/s, {:.0f} requests/s, {} errors{}",
               on_terminal_ ? back_and_erase : "", std::chrono::duration<double>(elapsed).count(), counts_.sequences,
               of_all, bytes * 8 / 1e6 / since_last_s, requests / since_last_s, counts_.errors(),
               on_terminal_ ? "" : "\n");
    std::fflush(stderr);
    told_ = true;
    last_ = elapsed;
    last_requests_ = counts_.requests;
    last_bytes_ = counts_.body_bytes;
}

void progress::clear() {
    if (told_ && on_terminal_) std::fputs(back_and_erase, stderr);
}

} // namespace replay
