// What `play` and `probe` share: the options about the server, the client's CPU and the report, and the run itself.
#pragma once

#include "client/player.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace replay {

struct judging_options {
    std::string url;
    double timeout_s = 30;
    double duration_s = 0; // 0: to the end of what is played
    double middle_percent = 80;
    std::optional<unsigned> cpu;
    std::optional<std::uint64_t> verify_every;
    bool as_json = false, progress = false;
    std::string histogram_file;
};

void add_judging_options(CLI::App &app, judging_options &options);

// A load, or the probe beside it.
struct part {
    const trace *paths;
    schedule_options pace;
    player_options clients;
    bool connection_per_request = false;
};

// Requests for `hot` by turns, evenly spread, on connections that are kept.
part probe_of(const trace &hot, double per_second, std::size_t connections, std::uint64_t verify_every);

// Plays until the load, or if there is none the probe, has ended; reports on standard output. Returns the exit code: 0 if
// every request succeeded, of the load and of the probe one at least. `settings`: those
// that it does not know, for the report.
int judge(const judging_options &options, const std::optional<part> &load, const std::optional<part> &probe,
          nlohmann::ordered_json settings);

// The settings of a probe, as reports have them.
nlohmann::ordered_json settings_of(const std::vector<std::string> &paths, double per_second, std::size_t connections);

// The trace in which each path is a sequence of its own. usage_error for what is no path.
trace trace_of(const std::vector<std::string> &paths);

} // namespace replay
