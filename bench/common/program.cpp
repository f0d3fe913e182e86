// See program.hpp.
#include "program.hpp"

#include "failure.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <exception>
#include <fstream>

namespace laio::bench {

void add_count(CLI::App &parser, const char *name, std::size_t &count, std::size_t least, std::size_t most,
               const char *meaning) {
    parser.add_option(name, count, meaning)->check(CLI::Range(least, most))->capture_default_str();
}

void add_report_options(CLI::App &parser, report_options &chosen) {
    parser.add_option("--json", chosen.json, "also write the results to this file");
    parser.add_option("--commit", chosen.commit, "what to print as the version measured");
}

void write_report(const report_options &chosen, const char *program, const machine &host,
                  const nlohmann::ordered_json &figures) {
    if (chosen.json.empty()) return;
    nlohmann::ordered_json whole = {{"benchmark", program}, {"machine", to_json(host)}};
    whole.update(figures);
    std::ofstream file(chosen.json);
    file << whole.dump(2) << '\n';
    if (!file.flush()) fail("{} cannot be written", chosen.json);
    fmt::print("\nwritten: {}\n", chosen.json);
}

int run_program(int argc, char **argv, int (*parse_and_run)(int argc, char **argv)) {
    try {
        return parse_and_run(argc, argv);
    } catch (const std::exception &error) { fail("{}", error.what()); }
}

} // namespace laio::bench
