// The results of a run, for people and for programs. docs/man/laio-replay.1 says what each member means.
#pragma once

#include "report/tally.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <iosfwd>
#include <optional>
#include <string>

namespace replay {

struct report {
    const tally *load = nullptr;  // null: only the probe was played
    const tally *probe = nullptr; // null: none
    nlohmann::ordered_json settings =
        nlohmann::ordered_json::object(); // that the run had, for who reads the report later
    std::string url;
    std::size_t clients = 0;
    std::chrono::nanoseconds elapsed{0};
    double middle_percent = 80;
    double cpu_share = 0; // this and the following: of the middle of the time
    std::optional<double> cpu_idle;
    bool client_bound = false;
    bool interrupted = false;
};

std::string as_text(const report &of);
std::string as_json(const report &of);

// A line for each bucket that is not empty: whose, from, to (microseconds), count, share up to and with it.
void write_histograms(const report &of, std::ostream &out);

} // namespace replay
