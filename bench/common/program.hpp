// What the programs of this folder have in common around their measuring: counts as options, where the report goes, and
// the end of a program that cannot go on.
#pragma once

#include "machine.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <string>

namespace laio::bench {

// An option for a number from `least` to `most`, with the value it has as its default.
void add_count(CLI::App &parser, const char *name, std::size_t &count, std::size_t least, std::size_t most,
               const char *meaning);

struct report_options {
    std::string json;
    std::string commit;
};

void add_report_options(CLI::App &parser, report_options &chosen);

// Writes the figures under the program's name and the machine's description; nothing if no file was asked for.
void write_report(const report_options &chosen, const char *program, const machine &host,
                  const nlohmann::ordered_json &figures);

// The exit code of the program; an exception is a message and 1.
int run_program(int argc, char **argv, int (*parse_and_run)(int argc, char **argv));

} // namespace laio::bench
