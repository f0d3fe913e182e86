// laio-replay probe: a few hot files at a steady rate, beside a load that another program puts on the server.

#include "judging.hpp"
#include "subcommand.hpp"

#include <memory>

namespace replay {

namespace {

struct probe_options : judging_options {
    std::vector<std::string> paths;
    double rate = 100;
    std::size_t connections = 4;
};

int probe(const probe_options &options) {
    const auto hot = trace_of(options.paths);
    return judge(options, {}, probe_of(hot, options.rate, options.connections, options.verify_every.value_or(0)),
                 {{"probe", settings_of(options.paths, options.rate, options.connections)}});
}

} // namespace

subcommand add_probe(CLI::App &app) {
    auto *made = app.add_subcommand("probe", "Ask for a few files at a steady rate, and report the times");
    const auto options = std::make_shared<probe_options>();
    options->duration_s = 10;
    add_judging_options(*made, *options);
    made->add_option("PATH", options->paths, "What to ask for, by turns")->required();
    made->add_option("--duration", options->duration_s, "Stop after so many seconds")
        ->check(CLI::Range(0.001, 1e6))
        ->type_name("S")
        ->capture_default_str();
    made->add_option("--rate", options->rate, "Requests each second, evenly spread")
        ->check(CLI::Range(0.001, 1e6))
        ->capture_default_str();
    made->add_option("--connections", options->connections, "Connections, each kept alive")
        ->check(CLI::Range(1, 10000))
        ->capture_default_str();
    return {made, [options] { return probe(*options); }};
}

} // namespace replay
