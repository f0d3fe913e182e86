// The table of calls, printed: every row of one architecture, or the row of one call, and the way that it takes here.
#pragma once

#include <string>

namespace probe {

struct selection {
    std::string architecture; // "x86_64" or "aarch64"
    std::string name;         // of one call; empty: all of them
    bool has_activations;     // where the calls are made
};

// An empty answer: there is no such call.
std::string calls_as_text(const selection &wanted);
std::string calls_as_json(const selection &wanted);

} // namespace probe
