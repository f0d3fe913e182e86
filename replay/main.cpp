// laio-replay: the table of subcommands, and exit codes. docs/man/laio-replay.1 is the contract.

#include "subcommand.hpp"

#include <cstdio>
#include <exception>

namespace {

constexpr int failed = 1, wrong_use = 2;

int perform(const CLI::App &app, const std::vector<replay::subcommand> &known) {
    for (const auto &one : known)
        if (app.got_subcommand(one.parsed_by)) return one.run();
    return wrong_use;
}

int tell(const std::exception &what, int code) {
    std::fprintf(stderr, "laio-replay: %s\n", what.what());
    return code;
}

} // namespace

int main(int argc, char **argv) {
    try {
        CLI::App app(
            "laio-replay: plays traces of requests against a web server and reports how it fared; makes, converts "
            "and describes traces.\nExit status: 0 done, 1 failed, 2 wrong use.",
            "laio-replay");
        app.require_subcommand(1);
        const std::vector<replay::subcommand> known{
            replay::add_play(app),     replay::add_probe(app),    replay::add_convert(app),
            replay::add_describe(app), replay::add_generate(app),
        };
        try {
            app.parse(argc, argv);
        } catch (const CLI::ParseError &error) { return app.exit(error) == 0 ? 0 : wrong_use; }
        return perform(app, known);
    } catch (const replay::usage_error &error) { return tell(error, wrong_use); } catch (const std::exception &error) {
        return tell(error, failed);
    }
}
