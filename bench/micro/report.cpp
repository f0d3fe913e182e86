// The table and the JSON of the samples. See report.hpp.
#include "report.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace laio::bench {
namespace {

constexpr int title_width = 36;
constexpr int column_width = 10;
constexpr int column_width_spread = 14;

struct comparison {
    way base;
    const char *label;
    const char *key;
};

// Which ratios a row shows: to the blocking call and to POSIX AIO always, to liburing where something is waited for.
std::vector<comparison> comparisons(const measured_case &measured) {
    std::vector<comparison> result{{way::plain, "x plain", "x_plain"}, {way::aio, "x AIO", "x_aio"}};
    if (measured.waits || measured.nanoseconds.contains(way::thread_pool))
        result.push_back({way::liburing, "x liburing", "x_liburing"});
    return result;
}

std::optional<spread> ratio_of(const measured_case &measured, way which, way base) {
    const auto values = measured.nanoseconds.find(which);
    const auto bases = measured.nanoseconds.find(base);
    if (values == measured.nanoseconds.end() || bases == measured.nanoseconds.end()) return std::nullopt;
    return summarise(paired_ratios(values->second, bases->second));
}

std::string in_nanoseconds(double value) { return fmt::format("{:.{}f}", value, value < 100 ? 1 : 0); }

// The ways that a table has anything for, in their order.
std::vector<way> columns_of(const std::vector<measured_case> &cases, table which) {
    std::vector<way> result;
    for (const way each : all_ways) {
        const bool is_there = std::any_of(cases.begin(), cases.end(), [&](const measured_case &one) {
            return one.table == which && (one.nanoseconds.contains(each) || one.skipped_ways.contains(each));
        });
        if (is_there) result.push_back(each);
    }
    return result;
}

// One line: `cell(way)` for each column, empty for none.
template <typename cell_type>
void print_line(const std::string &title, const char *unit, const std::vector<way> &columns, int width,
                cell_type cell) {
    std::string line = fmt::format("{:{}} {:>10}", title, title_width, unit);
    for (const way each : columns) line += fmt::format(" {:>{}}", cell(each), width);
    line.erase(line.find_last_not_of(' ') + 1);
    fmt::print("{}\n", line);
}

void print_case(const measured_case &measured, const std::vector<way> &columns, bool with_spread) {
    fmt::print("\n");
    if (!measured.skipped.empty()) {
        fmt::print("{:{}} SKIPPED: {}\n", measured.title, title_width, measured.skipped);
        return;
    }
    const auto time_of = [&](way each) -> std::optional<spread> {
        const auto found = measured.nanoseconds.find(each);
        return found == measured.nanoseconds.end() ? std::nullopt : std::optional(summarise(found->second));
    };
    const auto range = [](const std::optional<spread> &value, auto text) {
        return value ? text(value->p10) + "-" + text(value->p90) : std::string();
    };
    const int width = with_spread ? column_width_spread : column_width;
    const auto in_ratio = [](double value) { return fmt::format("{:.2f}", value); };

    print_line(measured.title, "ns", columns, width, [&](way each) {
        const auto value = time_of(each);
        if (value) return in_nanoseconds(value->median);
        return std::string(measured.skipped_ways.contains(each) ? "skipped" : "");
    });
    if (with_spread)
        print_line("", "10-90 %", columns, width, [&](way each) { return range(time_of(each), in_nanoseconds); });
    for (const comparison &each : comparisons(measured)) {
        if (!measured.nanoseconds.contains(each.base)) continue;
        const auto ratio = [&](way column) { return ratio_of(measured, column, each.base); };
        print_line("", each.label, columns, width, [&](way column) {
            const auto value = ratio(column);
            return value ? in_ratio(value->median) : std::string();
        });
        if (with_spread)
            print_line("", "10-90 %", columns, width, [&](way column) { return range(ratio(column), in_ratio); });
    }
}

nlohmann::ordered_json to_json(const spread &value) {
    return {{"median", value.median}, {"p10", value.p10}, {"p90", value.p90}};
}

} // namespace

void print_table(const std::vector<measured_case> &cases, bool with_spread) {
    fmt::print("\nTime of one operation, and its ratio to other ways: medians over the rounds{}\n\n",
               with_spread ? ", and from the 10th to the 90th percentile" : "");
    const int width = with_spread ? column_width_spread : column_width;
    std::map<std::string, std::string> skipped; // reason by way
    for (const table which : {table::inputs, table::calls}) {
        if (std::none_of(cases.begin(), cases.end(), [&](const auto &each) { return each.table == which; })) continue;
        const std::vector<way> columns = columns_of(cases, which);
        print_line("", "", columns, width, [](way each) { return name_of(each).heading; });
        print_line("", "", columns, width, [](way each) { return name_of(each).subheading; });
        for (const measured_case &each : cases) {
            if (each.table != which) continue;
            print_case(each, columns, with_spread);
            for (const auto &[way_skipped, reason] : each.skipped_ways) skipped[name_of(way_skipped).key] = reason;
        }
        fmt::print("\n");
    }
    for (const auto &[key, reason] : skipped) fmt::print("SKIPPED {}: {}\n", key, reason);
    for (const way each : all_ways) fmt::print("{:20} {}\n", name_of(each).key, name_of(each).meaning);
}

void print_promises(const promises &seen) {
    fmt::print("\nLAIO: {} calls that need not wait, {} of them went to the background", seen.ready, seen.ready_waited);
    if (seen.ready_excused > 0)
        fmt::print(" (and {} more, whose byte the network had not delivered yet)", seen.ready_excused);
    fmt::print("; {} calls that had to wait, all of them said EINPROGRESS.\n", seen.not_ready);
    for (const std::string &each : seen.where) fmt::print("VIOLATION: not answered at once: {}\n", each);
}

nlohmann::ordered_json cases_json(const std::vector<measured_case> &cases) {
    nlohmann::ordered_json result = nlohmann::ordered_json::array();
    for (const measured_case &measured : cases) {
        nlohmann::ordered_json row = {{"case", measured.key}, {"title", measured.title}};
        if (!measured.skipped.empty()) row["skipped"] = measured.skipped;
        row["ways"] = nlohmann::ordered_json::array();
        for (const auto &[which, values] : measured.nanoseconds) {
            nlohmann::ordered_json cell = {
                {"way", name_of(which).key}, {"rounds", values.size()}, {"nanoseconds", to_json(summarise(values))}};
            for (const comparison &each : comparisons(measured))
                if (const auto ratio = ratio_of(measured, which, each.base)) cell[each.key] = to_json(*ratio);
            row["ways"].push_back(std::move(cell));
        }
        for (const auto &[which, reason] : measured.skipped_ways)
            row["ways"].push_back({{"way", name_of(which).key}, {"skipped", reason}});
        result.push_back(std::move(row));
    }
    return result;
}

nlohmann::ordered_json promises_json(const promises &seen) {
    return {{"ready", seen.ready},
            {"ready_waited", seen.ready_waited},
            {"ready_excused", seen.ready_excused},
            {"not_ready", seen.not_ready}};
}

} // namespace laio::bench
