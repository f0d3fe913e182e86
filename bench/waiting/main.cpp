// laio-bench-waiting: the price of a connection that waits. Many connections wait in recvfrom(2) on one loop, then a
// byte arrives on each, in random order. Each set of engines is measured in a process of its own. Exit code 1 for a
// wrong, doubled or missing completion; a goal that is not met is printed and is no failure.
#include "common/failure.hpp"
#include "common/machine.hpp"
#include "common/program.hpp"
#include "connections.hpp"
#include "measurement.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <string>
#include <utility>
#include <vector>

namespace laio::bench {
namespace {

constexpr double bytes_goal = 1024;
constexpr std::size_t descriptors_spare = 64; // what the loop, the benchmark and its parent have open beside

struct options {
    std::size_t connections = 10000;
    std::string transport = "tcp";
    report_options report;
    std::uint64_t seed = 1;
};

using measured_sets = std::vector<std::pair<const engine_set *, waiting_figures>>;

// The goal holds for a set if no connection costs more than a kilobyte and none costs a thread.
bool is_met(const waiting_figures &figures) {
    return figures.private_dirty_bytes <= bytes_goal && figures.threads < figures.connections;
}

void print_table(const measured_sets &measured) {
    fmt::print("\n{:16} {:>8} {:>8} {:>15} {:>11} {:>11} {:>13} {:>12} {:>9}\n", "engines", "waiting", "threads",
               "bytes per call", "(by RSS)", "submit ns", "complete ns", "of it CPU", "per poll");
    for (const auto &[engines, figures] : measured) {
        if (!figures.skipped.empty()) {
            fmt::print("{:16} SKIPPED: {}\n", engines->key, figures.skipped);
            continue;
        }
        fmt::print("{:16} {:>8} {:>8} {:>15.0f} {:>11.0f} {:>11.0f} {:>13.0f} {:>12.0f} {:>9.1f}\n", engines->key,
                   figures.connections, figures.threads, figures.private_dirty_bytes, figures.rss_bytes,
                   figures.submit_ns, figures.complete_ns, figures.complete_cpu_ns, figures.completions_per_poll);
    }
    fmt::print("\n");
    for (const auto &[engines, figures] : measured) fmt::print("{:16} {}\n", engines->key, engines->meaning);
    fmt::print("bytes per call: growth of Private_Dirty from before laio_init() until all wait, over their number\n"
               "complete ns: from the word to the peers until the last completion, over their number; per poll: "
               "completions\n\n");
    for (const auto &[engines, figures] : measured)
        if (figures.skipped.empty())
            fmt::print("goal, {}: at most {:.0f} bytes of user-space memory each and no thread per connection: {:.0f} "
                       "bytes, {} threads for {}: {}\n",
                       engines->key, bytes_goal, figures.private_dirty_bytes, figures.threads, figures.connections,
                       is_met(figures) ? "met" : "NOT MET");
}

nlohmann::ordered_json sets_json(const measured_sets &measured) {
    nlohmann::ordered_json sets = nlohmann::ordered_json::array();
    for (const auto &[engines, figures] : measured) {
        nlohmann::ordered_json row = {{"set", engines->key}};
        row.update(to_json(figures));
        if (figures.skipped.empty()) {
            row["bytes_at_most"] = bytes_goal;
            row["met"] = is_met(figures);
        }
        sets.push_back(std::move(row));
    }
    return sets;
}

int run(const options &chosen) {
    const machine host = describe_machine(".", chosen.report.commit);
    print_machine(host);
    std::size_t count = chosen.connections;
    const std::size_t limit = raise_descriptor_limit();
    if (limit < count + descriptors_spare) {
        if (limit <= 2 * descriptors_spare) fail("only {} descriptors are allowed (RLIMIT_NOFILE)", limit);
        count = limit - descriptors_spare;
        fmt::print("FEWER CONNECTIONS: only {} descriptors are allowed (RLIMIT_NOFILE): {} instead of {}\n", limit,
                   count, chosen.connections);
    }
    fmt::print("run       {} {} connections, their peers in another process, seed {}\n", count,
               chosen.transport == "tcp" ? "TCP loopback" : "Unix stream", chosen.seed);
    const transport kind = chosen.transport == "tcp" ? transport::tcp : transport::unix_stream;
    measured_sets measured;
    for (const engine_set &each : engine_sets())
        measured.emplace_back(&each, measure_in_child(each, kind, count, chosen.seed));
    print_table(measured);
    const nlohmann::ordered_json settings = {
        {"connections", chosen.connections}, {"transport", chosen.transport}, {"seed", chosen.seed}};
    write_report(chosen.report, "laio-bench-waiting", host, {{"settings", settings}, {"sets", sets_json(measured)}});
    return 0;
}

int parse_and_run(int argc, char **argv) {
    options chosen;
    CLI::App parser("Connections that wait in recvfrom on one LAIO loop: memory, threads and time of each.");
    add_count(parser, "--connections", chosen.connections, 1, 1000000, "how many");
    parser.add_option("--transport", chosen.transport, "tcp or unix")
        ->check(CLI::IsMember({"tcp", "unix"}))
        ->capture_default_str();
    parser.add_option("--seed", chosen.seed, "of the order in which the bytes are sent")->capture_default_str();
    add_report_options(parser, chosen.report);
    CLI11_PARSE(parser, argc, argv);
    return run(chosen);
}

} // namespace
} // namespace laio::bench

int main(int argc, char **argv) { return laio::bench::run_program(argc, argv, laio::bench::parse_and_run); }
