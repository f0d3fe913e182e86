// The table of calls, printed: every row of one architecture, or the row of one call.
#pragma once

#include <string>

namespace probe {

// Architecture: "x86_64" or "aarch64". `name`: one call; empty: all of them. An empty answer: there is no such call.
std::string calls_as_text(const std::string &architecture, const std::string &name);
std::string calls_as_json(const std::string &architecture, const std::string &name);

} // namespace probe
