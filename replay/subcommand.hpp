// What laio-replay can do: a function for each subcommand, which describes its options and says what carries it out. The
// options live in what `run` holds.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>

namespace replay {

struct subcommand {
    CLI::App *parsed_by;
    std::function<int()> run; // returns the exit code; what it throws is told, and is exit code 1
};

// Wrong use that the command line's parser cannot see: exit code 2.
class usage_error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

subcommand add_play(CLI::App &app);
subcommand add_probe(CLI::App &app);
subcommand add_convert(CLI::App &app);
subcommand add_describe(CLI::App &app);
subcommand add_generate(CLI::App &app);

} // namespace replay
