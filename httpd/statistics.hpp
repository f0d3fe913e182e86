// What the server counted, and its report together with what LAIO counted for the same thread. Plain numbers: one thread.
#pragma once

#include "cache/cache_statistics.hpp"
#include "http/status.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

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

struct turn_counts {
    std::uint64_t turns = 0;
    std::uint64_t long_turns = 0; // of more than 10 ms
    std::int64_t longest_ns = 0;
};

struct server_report {
    std::string_view version;
    statistics counts;
    turn_counts turns;
    cache_statistics names;
    cache_statistics mappings;
    std::uint64_t log_lines_dropped = 0;
    std::uint64_t log_errors = 0;
    bool has_laio = false; // then laio_stats() of this thread belongs to it
};

std::string report_as_text(const server_report &report);
std::string report_as_json(const server_report &report);

} // namespace httpd
