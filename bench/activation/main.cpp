// laio-bench-activation: what activations promise about calls that block, and about CPU time. Options, the machine, the
// parts, the report. Everything is measured in children of this process, which never has a second thread. Exit code 1
// for a wrong result of a call or a broken promise; a goal that is not met is printed and is no failure. What the
// machine or the user cannot do is skipped, aloud.
#include "common/affinity.hpp"
#include "common/failure.hpp"
#include "common/machine.hpp"
#include "common/program.hpp"
#include "sections.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace laio::bench {
namespace {

struct options {
    sizes chosen;
    int cpu = -1;
    std::vector<std::string> parts;
    report_options report;
    bool quick = false;
};

struct part {
    const char *key;
    const char *what; // while it runs
    std::function<section(const options &, const affinity &)> measure;
};

const std::array parts{
    part{"blocked", "calls that block",
         [](const options &o, const affinity &cpus) { return measure_blocked(o.chosen, cpus, o.cpu); }},
    part{"ready", "calls that do not block",
         [](const options &o, const affinity &cpus) { return measure_ready(o.chosen, cpus, o.cpu); }},
    part{"turns", "turns of a loop",
         [](const options &o, const affinity &cpus) { return measure_turns(o.chosen, cpus, o.cpu); }},
    part{"idle", "idle programs", [](const options &o, const affinity & /*cpus*/) { return measure_idle(o.chosen); }},
    part{"quota", "a loop with a quota",
         [](const options &o, const affinity &cpus) { return measure_quota(o.chosen, cpus, o.cpu); }},
};

bool is_wanted(const options &given, const part &one) {
    return given.parts.empty() || std::find(given.parts.begin(), given.parts.end(), one.key) != given.parts.end();
}

// Sets what --quick changes, but for what was asked for by name.
void make_quick(options &given, const CLI::App &parsed) {
    const auto set = [&](const char *name, auto &value, auto quick) {
        if (parsed.count(name) == 0) value = quick;
    };
    set("--calls", given.chosen.calls, std::size_t{300});
    set("--calls-slow", given.chosen.calls_slow, std::size_t{50});
    set("--calls-rested", given.chosen.calls_rested, std::size_t{30});
    set("--calls-ready", given.chosen.calls_ready, std::size_t{100'000});
    set("--turns", given.chosen.turns, std::size_t{5000});
    set("--turns-paced", given.chosen.turns_paced, std::size_t{300});
    set("--idle-s", given.chosen.idle_s, 2.0);
    set("--quota-runs", given.chosen.quota_runs, std::size_t{3});
    set("--quota-s", given.chosen.quota_s, 0.5);
}

nlohmann::ordered_json settings_json(const options &given, double seconds) {
    const sizes &o = given.chosen;
    return {{"calls", o.calls},
            {"calls_slow", o.calls_slow},
            {"calls_rested", o.calls_rested},
            {"calls_ready", o.calls_ready},
            {"turns", o.turns},
            {"turns_paced", o.turns_paced},
            {"idle_s", o.idle_s},
            {"quota_runs", o.quota_runs},
            {"quota_s", o.quota_s},
            {"cpu", given.cpu},
            {"quick", given.quick},
            {"seconds", seconds}};
}

int run(options given) {
    const affinity cpus;
    if (given.cpu < 0) given.cpu = cpus.highest_cpu();
    if (!cpus.allows(given.cpu)) fail("CPU {} is not among those this process may use", given.cpu);
    const machine host = describe_machine(".", given.report.commit);
    print_machine(host);
    fmt::print("run       pinned to CPU {} of {} where a line says so; each part in processes of its own\n", given.cpu,
               cpus.count());
    const bool terminal = ::isatty(STDERR_FILENO) == 1;
    nlohmann::ordered_json figures = nlohmann::ordered_json::object();
    std::vector<goal> goals;
    bool is_promise_broken = false;
    const auto begin = std::chrono::steady_clock::now();
    for (const part &each : parts) {
        if (!is_wanted(given, each)) continue;
        if (terminal) fmt::print(stderr, "\r\033[K{}...\r", each.what);
        section found = each.measure(given, cpus);
        figures[each.key] = std::move(found.rows);
        is_promise_broken |= found.is_promise_broken;
        goals.insert(goals.end(), found.goals.begin(), found.goals.end());
    }
    if (terminal) fmt::print(stderr, "\r\033[K");
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    print_goals(goals);
    if (given.quick) fmt::print("A quick run: its figures are rough.\n");
    fmt::print("{} parts in {:.0f} s\n", figures.size(), seconds);
    nlohmann::ordered_json whole = {{"settings", settings_json(given, seconds)}};
    whole.update(figures);
    whole["goals"] = goals_json(goals);
    write_report(given.report, "laio-bench-activation", host, whole);
    if (is_promise_broken) fmt::print("BROKEN PROMISE: a call that does not block was left behind\n");
    return is_promise_broken ? 1 : 0;
}

int parse_and_run(int argc, char **argv) {
    options given;
    sizes &o = given.chosen;
    CLI::App parser("Activations: how soon a call that blocks is left behind, and the CPU time of those who watch.");
    add_count(parser, "--calls", o.calls, 1, 10000000, "calls that block, in each situation");
    add_count(parser, "--calls-slow", o.calls_slow, 1, 10000000, "the same where each takes milliseconds");
    add_count(parser, "--calls-rested", o.calls_rested, 1, 10000000, "the same, each after a sleep of 30 ms");
    add_count(parser, "--calls-ready", o.calls_ready, 2, 1000000000, "calls that do not block");
    add_count(parser, "--turns", o.turns, 1, 10000000, "turns of the loop, one after the other");
    add_count(parser, "--turns-paced", o.turns_paced, 1, 10000000, "turns of the loop, one each millisecond");
    parser.add_option("--idle-s", o.idle_s, "how long programs idle")
        ->check(CLI::Range(0.1, 3600.0))
        ->capture_default_str();
    add_count(parser, "--quota-runs", o.quota_runs, 1, 1000, "runs with a quota, of each kind");
    parser.add_option("--quota-s", o.quota_s, "how long each of these is")
        ->check(CLI::Range(0.1, 3600.0))
        ->capture_default_str();
    parser.add_option("--cpu", given.cpu, "the CPU to pin to (default: the highest one allowed)");
    std::vector<std::string> names;
    names.reserve(parts.size());
    for (const part &each : parts) names.emplace_back(each.key);
    parser.add_option("--parts", given.parts, "only these: blocked, ready, turns, idle, quota")
        ->delimiter(',')
        ->check(CLI::IsMember(names));
    add_report_options(parser, given.report);
    parser.add_flag("--quick", given.quick, "about ten seconds, rough figures");
    CLI11_PARSE(parser, argc, argv);
    if (given.quick) make_quick(given, parser);
    return run(std::move(given));
}

} // namespace
} // namespace laio::bench

int main(int argc, char **argv) { return laio::bench::run_program(argc, argv, laio::bench::parse_and_run); }
