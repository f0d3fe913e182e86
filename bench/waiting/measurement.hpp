// One loop with many connections that wait in recvfrom(2), on one set of engines: what that costs.
#pragma once

#include "connections.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace laio::bench {

struct engine_set {
    const char *key;
    const char *meaning;
    std::uint32_t flags;
    std::uint32_t forbid;
};

std::span<const engine_set> engine_sets();

struct waiting_figures {
    std::string skipped; // why it could not be measured, or empty
    std::size_t connections = 0;
    std::size_t threads = 0;        // of the process while all wait
    double private_dirty_bytes = 0; // user-space memory per waiting call, the loop's own included
    double rss_bytes = 0;           // the same, by resident size
    double submit_ns = 0;           // per call, until EINPROGRESS
    double complete_ns = 0;         // per call, from the word to the peers until the last completion was fetched
    double complete_cpu_ns = 0;     // processor time of the loop's thread in that
    double completions_per_poll = 0;
};

// Runs in a process of its own, so that no set lives on what another one allocated. Does not return from a wrong
// result: the process ends with exit code 1 and a message.
waiting_figures measure_in_child(const engine_set &engines, transport kind, std::size_t count, std::uint64_t seed);

nlohmann::ordered_json to_json(const waiting_figures &figures);

} // namespace laio::bench
