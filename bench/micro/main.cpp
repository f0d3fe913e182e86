// laio-bench-micro: the microbenchmark of the paper's section 7. Options, the machine, the cases, the report. Runs in
// one thread, pinned to one CPU with everything that the ways create, but for the one way that is about not being
// pinned. Exit code 1 for a wrong result or a broken promise of LAIO's; a goal that is not met is printed and is no
// failure.
#include "aio_way.hpp"
#include "cases.hpp"
#include "common/affinity.hpp"
#include "common/failure.hpp"
#include "common/machine.hpp"
#include "common/program.hpp"
#include "liburing_way.hpp"
#include "report.hpp"
#include "runner.hpp"
#include "stat_peers.hpp"

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace laio::bench {
namespace {

struct options {
    run_settings run;
    int cpu = -1;
    report_options report;
    std::string directory = ".";
    std::vector<std::string> cases;
    std::size_t cold_megabytes = 256;
    std::size_t cold_reads = 128;
    bool quick = false;
    bool spread = false;
};

// Sets what --quick changes, but for what was asked for by name.
void make_quick(options &chosen, const CLI::App &parsed) {
    const auto set = [&](const char *name, std::size_t &value, std::size_t quick) {
        if (parsed.count(name) == 0) value = quick;
    };
    set("--rounds", chosen.run.rounds, 16);
    set("--rounds-cold", chosen.run.rounds_rare, 5);
    set("--iterations", chosen.run.iterations, 1000);
    set("--iterations-slow", chosen.run.iterations_slow, 150);
    set("--cold-megabytes", chosen.cold_megabytes, 64);
}

bool wanted(const options &chosen, const std::string &key) {
    return chosen.cases.empty() || std::any_of(chosen.cases.begin(), chosen.cases.end(), [&](const std::string &part) {
               return key.find(part) != std::string::npos;
           });
}

std::vector<bench_case> all_cases(const options &chosen, promises &seen) {
    std::vector<bench_case> cases = byte_cases(seen);
    for (auto &more : {file_cases(chosen.directory, seen), call_cases("/", seen), turn_cases("/"),
                       cold_cases(chosen.directory, chosen.cold_megabytes, chosen.cold_reads)})
        cases.insert(cases.end(), more.begin(), more.end());
    std::erase_if(cases, [&](const bench_case &each) { return !wanted(chosen, each.key); });
    return cases;
}

nlohmann::ordered_json settings_json(const options &chosen, double seconds) {
    return {{"rounds", chosen.run.rounds},
            {"rounds_cold", std::min(chosen.run.rounds, chosen.run.rounds_rare)},
            {"iterations", chosen.run.iterations},
            {"iterations_slow", chosen.run.iterations_slow},
            {"cold_reads", chosen.cold_reads},
            {"cold_megabytes", chosen.cold_megabytes},
            {"cpu", chosen.cpu},
            {"seed", chosen.run.seed},
            {"quick", chosen.quick},
            {"liburing", liburing_way::flags_used()},
            {"libuv", libuv_version()},
            {"seconds", seconds}};
}

int run(options chosen) {
    const affinity cpus;
    if (chosen.cpu < 0) chosen.cpu = cpus.highest_cpu();
    cpus.pin(chosen.cpu);
    aio_way::initialise(cpus, chosen.cpu);
    chosen.directory = std::filesystem::absolute(chosen.directory).lexically_normal().string();
    const machine host = describe_machine(chosen.directory, chosen.report.commit);
    print_machine(host);
    fmt::print("run       pinned to CPU {}; {} rounds of {} operations for each way ({} where each goes to a thread), "
               "shuffled;\n          cold reads: {} rounds of {} and {} reads; liburing with {}\n",
               chosen.cpu, chosen.run.rounds, chosen.run.iterations, chosen.run.iterations_slow,
               std::min(chosen.run.rounds, chosen.run.rounds_rare), chosen.cold_reads, 4 * chosen.cold_reads,
               liburing_way::flags_used());
    std::fflush(stdout);

    promises seen;
    const std::vector<bench_case> cases = all_cases(chosen, seen);
    if (cases.empty()) fail("no case has a name with one of the words given by --cases");
    const bool terminal = ::isatty(STDERR_FILENO) == 1;
    std::vector<measured_case> measured;
    const auto begin = std::chrono::steady_clock::now();
    for (const bench_case &each : cases) {
        if (terminal) fmt::print(stderr, "\r\033[K{} ({} of {})", each.key, measured.size() + 1, cases.size());
        measured.push_back(measure(each, chosen.run));
    }
    if (terminal) fmt::print(stderr, "\r\033[K");
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();

    print_table(measured, chosen.spread);
    print_goals(measured);
    if (chosen.quick) fmt::print("A quick run: its figures are rough.\n");
    print_promises(seen);
    fmt::print("{} cases in {:.0f} s\n", measured.size(), seconds);
    write_report(chosen.report, "laio-bench-micro", host,
                 {{"settings", settings_json(chosen, seconds)},
                  {"cases", cases_json(measured)},
                  {"goals", goals_json(measured)},
                  {"promises", promises_json(seen)}});
    return seen.ready_waited == 0 ? 0 : 1;
}

int parse_and_run(int argc, char **argv) {
    options chosen;
    CLI::App parser("The cost of one byte, of 4 KB and of a system call: by blocking calls, by epoll, through LAIO, by "
                    "POSIX AIO and by io_uring.");
    add_count(parser, "--rounds", chosen.run.rounds, 1, 100000, "how often each way of a case is run");
    add_count(parser, "--rounds-cold", chosen.run.rounds_rare, 1, 100000, "the same for reads from the disk");
    add_count(parser, "--iterations", chosen.run.iterations, 1, 10000000, "operations each time");
    add_count(parser, "--iterations-slow", chosen.run.iterations_slow, 1, 10000000,
              "the same for ways that use a thread per call");
    parser.add_option("--cpu", chosen.cpu, "the CPU to run on (default: the highest one allowed)");
    parser.add_option("--cases", chosen.cases, "only cases whose name has one of these words: pipe, tcp_ready, ...")
        ->delimiter(',');
    parser.add_option("--directory", chosen.directory, "where the files to read are made")
        ->check(CLI::ExistingDirectory)
        ->capture_default_str();
    add_count(parser, "--cold-megabytes", chosen.cold_megabytes, 4, 65536,
              "size of the file that is read from the disk");
    add_count(parser, "--cold-reads", chosen.cold_reads, 1, 256,
              "reads in a batch at depth 1; four times that at depth 32");
    parser.add_option("--seed", chosen.run.seed, "of the order of the ways")->capture_default_str();
    add_report_options(parser, chosen.report);
    parser.add_flag("--quick", chosen.quick, "about ten seconds, rough figures");
    parser.add_flag("--spread", chosen.spread, "print the 10th and 90th percentiles in the table too");
    CLI11_PARSE(parser, argc, argv);
    if (chosen.quick) make_quick(chosen, parser);
    return run(std::move(chosen));
}

} // namespace
} // namespace laio::bench

int main(int argc, char **argv) { return laio::bench::run_program(argc, argv, laio::bench::parse_and_run); }
