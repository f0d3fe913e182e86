// What was found out, as text for people and as JSON for programs. Knows nothing of how it was found out.
#pragma once

#include "machine.hpp"
#include "path.hpp"

#include <string>
#include <vector>

namespace probe {

std::string report_as_text(const machine &here, const std::vector<path_report> &paths);
std::string report_as_json(const machine &here, const std::vector<path_report> &paths);

std::string version(); // of laio

} // namespace probe
