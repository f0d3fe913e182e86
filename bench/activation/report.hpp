// What a part of the benchmark hands back: rows for the JSON, which it has printed as a table, and how far it met the
// goals that the project has set itself.
#pragma once

#include <nlohmann/json.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace laio::bench {

struct sizes {
    std::size_t calls = 2000;          // that block, in each situation
    std::size_t calls_slow = 300;      // likewise where each takes milliseconds
    std::size_t calls_rested = 100;    // likewise after a pause
    std::size_t calls_ready = 1000000; // that do not block
    std::size_t turns = 20000;
    std::size_t turns_paced = 1000; // one each millisecond
    double idle_s = 10;
    std::size_t quota_runs = 5;
    double quota_s = 2;
};

struct goal {
    std::string text;
    std::string unit;
    double at_most = 0;
    std::optional<double> measured; // none: not run, and `skipped` says why
    std::string skipped;

    [[nodiscard]] bool is_met() const { return measured && *measured <= at_most; }
};

struct section {
    nlohmann::ordered_json rows = nlohmann::ordered_json::array();
    std::vector<goal> goals;
    bool is_promise_broken = false; // the library's: what does not block returns at once
};

// The goal, measured as a child's row has it under `key`, or skipped as the row says.
goal goal_of(std::string text, std::string unit, double at_most, const nlohmann::ordered_json &row, const char *key);

void print_goals(const std::vector<goal> &goals);
nlohmann::ordered_json goals_json(const std::vector<goal> &goals);

// "name 1.25, ..." of a row's object of figures.
std::string listed(const nlohmann::ordered_json &figures);

} // namespace laio::bench
