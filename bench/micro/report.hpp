// What is made of the samples: the table, the goals with what was measured, and the JSON.
#pragma once

#include "common/statistics.hpp"
#include "runner.hpp"
#include "subject.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <vector>

namespace laio::bench {

// A bound on one way of one case relative to another way of it.
struct goal {
    enum class relation { ratio, difference_ns };
    std::string text;
    std::string case_key;
    way measured;
    way base;
    relation compared;
    double limit;
};

// The bounds that the project has set itself.
std::vector<goal> project_goals();

// The goal's figure over the rounds, or nothing when its case or one of its ways was not run.
std::optional<spread> figure_of(const goal &wanted, const std::vector<measured_case> &cases);

void print_table(const std::vector<measured_case> &cases, bool with_spread);
void print_goals(const std::vector<measured_case> &cases);
void print_promises(const promises &seen);

nlohmann::ordered_json cases_json(const std::vector<measured_case> &cases);
nlohmann::ordered_json goals_json(const std::vector<measured_case> &cases);
nlohmann::ordered_json promises_json(const promises &seen);

} // namespace laio::bench
