// What the server counted, and its report together with what LAIO counted for the same thread. Plain numbers: one thread.
#pragma once

#include "http/status.hpp"

#include <array>
#include <cstdint>
#include <string>

namespace httpd {

struct statistics {
    std::uint64_t connections = 0; // accepted
    std::uint64_t connections_open = 0;
    std::uint64_t connections_peak = 0;
    std::uint64_t accept_pauses = 0;          // at the limit, or for want of descriptors or memory
    std::uint64_t requests = 0;               // answered or not
    std::array<std::uint64_t, 6> responses{}; // by class: [2] counts 2xx; only those sent to the end
    std::uint64_t bytes_sent = 0;
    std::uint64_t bytes_read = 0; // from files
    std::uint64_t timeouts = 0;   // connections ended by one of the timeouts
    std::uint64_t aborted = 0;    // responses that did not reach their end

    void count_response(status code) { ++responses[static_cast<std::size_t>(code_of(code) / 100)]; }
};

// The counts of this server and laio_stats() of this thread.
struct turn_counts;
std::string report_as_text(const statistics &counts, const turn_counts &turns);
std::string report_as_json(const statistics &counts, const turn_counts &turns);

} // namespace httpd
