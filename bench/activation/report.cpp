// See report.hpp.
#include "report.hpp"

#include <fmt/core.h>

#include <utility>

namespace laio::bench {

goal goal_of(std::string text, std::string unit, double at_most, const nlohmann::ordered_json &row, const char *key) {
    goal made{
        .text = std::move(text), .unit = std::move(unit), .at_most = at_most, .measured = std::nullopt, .skipped = ""};
    if (row.contains("skipped")) made.skipped = row.at("skipped").get<std::string>();
    else made.measured = row.at(key).get<double>();
    return made;
}

void print_goals(const std::vector<goal> &goals) {
    fmt::print("\n{:84} {:>12} {:>12}\n", "goal", "at most", "measured");
    for (const goal &each : goals) {
        fmt::print("{:84} {:>8.6g} {:3} ", each.text, each.at_most, each.unit);
        if (each.measured)
            fmt::print("{:>8.4g} {:3}  {}\n", *each.measured, each.unit, each.is_met() ? "met" : "NOT MET");
        else fmt::print("SKIPPED: {}\n", each.skipped);
    }
}

nlohmann::ordered_json goals_json(const std::vector<goal> &goals) {
    nlohmann::ordered_json result = nlohmann::ordered_json::array();
    for (const goal &each : goals) {
        nlohmann::ordered_json row = {{"goal", each.text}, {"unit", each.unit}, {"at_most", each.at_most}};
        if (each.measured) {
            row["measured"] = *each.measured;
            row["met"] = each.is_met();
        } else row["skipped"] = each.skipped;
        result.push_back(std::move(row));
    }
    return result;
}

std::string listed(const nlohmann::ordered_json &figures) {
    std::string result;
    for (const auto &[name, value] : figures.items())
        result += fmt::format("{}{} {:.2f}", result.empty() ? "" : ", ", name, value.get<double>());
    return result.empty() ? "none" : result;
}

} // namespace laio::bench
