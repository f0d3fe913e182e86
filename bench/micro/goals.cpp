// The goals of the project for this benchmark, and how far a run met them. See report.hpp.
#include "report.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace laio::bench {
namespace {

const measured_case *find_case(const std::vector<measured_case> &cases, const std::string &key) {
    const auto found = std::find_if(cases.begin(), cases.end(), [&](const auto &each) { return each.key == key; });
    return found == cases.end() ? nullptr : &*found;
}

const char *unit_of(const goal &wanted) { return wanted.compared == goal::relation::ratio ? "x" : "ns"; }

} // namespace

std::vector<goal> project_goals() {
    using enum goal::relation;
    // For sockets the input alone decides: beside a TCP write no difference would show. For the pipe the goal is about
    // the paper's exchange, write and read. The other one stands below each.
    return {
        {"ready TCP byte: LAIO / recv, alone", "tcp_ready_alone", way::laio, way::plain, ratio, 1.15},
        {"ready TCP byte: LAIO / recv, with the write", "tcp_ready", way::laio, way::plain, ratio, 1.15},
        {"ready Unix socket byte: LAIO / recv, alone", "unix_ready_alone", way::laio, way::plain, ratio, 1.15},
        {"ready Unix socket byte: LAIO / recv, with the write", "unix_ready", way::laio, way::plain, ratio, 1.15},
        {"ready pipe byte: LAIO / read, with the write", "pipe_ready", way::laio, way::plain, ratio, 1.3},
        {"ready pipe byte: LAIO / read, alone", "pipe_ready_alone", way::laio, way::plain, ratio, 1.3},
        {"cached 4 KB: LAIO / pread", "file_cached", way::laio, way::plain, ratio, 1.3},
        {"direct call getppid: LAIO - syscall()", "getppid", way::laio, way::plain, difference_ns, 25},
        {"direct call fcntl: LAIO - syscall()", "fcntl", way::laio, way::plain, difference_ns, 25},
        {"activation of nearly nothing: LAIO - syscall()", "msync", way::laio, way::plain, difference_ns, 45},
        {"the same with LAIO_SIGNALS_BLOCKED", "msync", way::laio_signals_blocked, way::plain, difference_ns, 20},
        {"activation: stat, LAIO - syscall()", "stat", way::laio, way::plain, difference_ns, 45},
        {"the same, beside plain calls with LAIO's threads", "stat", way::laio, way::plain_threads, difference_ns, 45},
        {"activation: stat with LAIO_SIGNALS_BLOCKED", "stat", way::laio_signals_blocked, way::plain, difference_ns,
         20},
        {"activation: ready pipe byte, alone, LAIO - read", "pipe_ready_alone", way::laio_activations, way::plain,
         difference_ns, 45},
        {"the same, beside plain calls with LAIO's threads", "pipe_ready_alone", way::laio_activations,
         way::plain_threads, difference_ns, 45},
        {"activation: cached 4 KB, LAIO - pread", "file_cached", way::laio_activations, way::plain, difference_ns, 45},
        {"the same, beside plain calls with LAIO's threads", "file_cached", way::laio_activations, way::plain_threads,
         difference_ns, 45},
        {"turn with a stat: LAIO / liburing and a blocking stat", "turn", way::laio, way::liburing, ratio, 1.3},
        {"not-ready pipe byte: LAIO / POSIX AIO on one CPU", "pipe_not_ready", way::laio, way::aio, ratio, 0.25},
        {"not-ready pipe byte: LAIO / liburing by hand", "pipe_not_ready", way::laio, way::liburing, ratio, 1.25},
        {"the same, LAIO in the ring and promised to block", "pipe_not_ready", way::laio_promised, way::liburing, ratio,
         1.25},
        {"the same, LAIO told of closes and promised to block", "pipe_not_ready", way::laio_told, way::liburing, ratio,
         1.25},
    };
}

std::optional<spread> figure_of(const goal &wanted, const std::vector<measured_case> &cases) {
    const measured_case *measured = find_case(cases, wanted.case_key);
    if (measured == nullptr) return std::nullopt;
    const auto values = measured->nanoseconds.find(wanted.measured);
    const auto base = measured->nanoseconds.find(wanted.base);
    if (values == measured->nanoseconds.end() || base == measured->nanoseconds.end()) return std::nullopt;
    return summarise(wanted.compared == goal::relation::ratio ? paired_ratios(values->second, base->second)
                                                              : paired_differences(values->second, base->second));
}

void print_goals(const std::vector<measured_case> &cases) {
    fmt::print("\n{:54} {:>9} {:>9}  {:15}\n", "goal (medians of round-by-round figures)", "at most", "measured",
               "10 to 90 %");
    for (const goal &wanted : project_goals()) {
        const std::optional<spread> figure = figure_of(wanted, cases);
        const int digits = wanted.compared == goal::relation::ratio ? 2 : 1;
        fmt::print("{:54} {:>6.{}f} {:2} ", wanted.text, wanted.limit, digits, unit_of(wanted));
        if (figure)
            fmt::print("{:>6.{}f} {:2}  {:<15}  {}\n", figure->median, digits, unit_of(wanted),
                       fmt::format("{:.{}f} to {:.{}f}", figure->p10, digits, figure->p90, digits),
                       figure->median <= wanted.limit ? "met" : "NOT MET");
        else fmt::print("{:>9}\n", "not run");
    }
}

nlohmann::ordered_json goals_json(const std::vector<measured_case> &cases) {
    nlohmann::ordered_json result = nlohmann::ordered_json::array();
    for (const goal &wanted : project_goals()) {
        nlohmann::ordered_json row = {{"goal", wanted.text},
                                      {"case", wanted.case_key},
                                      {"way", name_of(wanted.measured).key},
                                      {"base", name_of(wanted.base).key},
                                      {"unit", unit_of(wanted)},
                                      {"at_most", wanted.limit}};
        if (const std::optional<spread> figure = figure_of(wanted, cases)) {
            row["measured"] = figure->median;
            row["p10"] = figure->p10;
            row["p90"] = figure->p90;
            row["met"] = figure->median <= wanted.limit;
        }
        result.push_back(std::move(row));
    }
    return result;
}

} // namespace laio::bench
