// laio-probe: what this machine offers to laio, and the way that each system call takes. The command line and the exit
// codes: 0, 1 (something asked for cannot be done), 2 (usage).
#include "calls.hpp"
#include "machine.hpp"
#include "path.hpp"
#include "report.hpp"

#include <csignal>
#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace {

constexpr int cannot = 1;
constexpr int usage = 2;

struct command {
    std::vector<std::string> paths;
    bool as_json = false;
    bool all_calls = false;
    std::string call;
    std::string architecture = probe::native_architecture();
};

void describe(CLI::App &app, command &wanted) {
    auto *paths = app.add_option("PATH", wanted.paths, "Files or directories whose file systems are asked");
    app.add_flag("--json", wanted.as_json, "Print JSON");
    auto *all = app.add_flag("--calls", wanted.all_calls, "Print the table of calls");
    auto *one = app.add_option("--call", wanted.call, "Print its row of one call")->type_name("NAME");
    auto *architecture = app.add_option("--arch", wanted.architecture, "The table of this architecture")
                             ->check(CLI::IsMember({"x86_64", "aarch64"}))
                             ->capture_default_str();
    all->excludes(paths, one);
    one->excludes(paths);
    architecture->excludes(paths);
    app.set_version_flag("--version", "laio-probe " + probe::version());
    app.callback([=] {
        if (architecture->count() > 0 && all->count() + one->count() == 0)
            throw CLI::RequiresError("--arch", "--calls or --call");
        if (one->count() > 0 && one->as<std::string>().empty()) throw CLI::ValidationError("--call", "no name");
    });
}

bool print(const std::string &text) {
    if (std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0) return true;
    std::perror("laio-probe: standard output");
    return false;
}

int complain(const std::string &text) {
    fmt::print(stderr, "laio-probe: {}\n", text);
    return cannot;
}

int print_calls(const command &wanted) {
    const bool is_ours = wanted.architecture == probe::native_architecture();
    const probe::selection rows{wanted.architecture, wanted.call, is_ours && probe::has_activations()};
    const std::string text = wanted.as_json ? probe::calls_as_json(rows) : probe::calls_as_text(rows);
    if (text.empty())
        return complain(fmt::format("no system call of {} is called {}", wanted.architecture, wanted.call));
    return print(text) ? 0 : cannot;
}

int print_report(const command &wanted) {
    const probe::machine here = probe::examine_machine();
    std::vector<probe::path_report> paths;
    paths.reserve(wanted.paths.size());
    for (const std::string &path : wanted.paths) paths.push_back(probe::examine_path(path, here));
    if (!print(wanted.as_json ? probe::report_as_json(here, paths) : probe::report_as_text(here, paths))) return cannot;

    int code = 0;
    for (const std::string &name : here.forbid.unknown)
        code = complain(fmt::format("LAIO_FORBID names '{}', which is nothing that can be forbidden", name));
    if (here.made.loop.is != probe::state::usable)
        code = complain(fmt::format("no loop can be made here, {}", probe::in_words(here.made.loop)));
    for (const probe::path_report &each : paths)
        if (each.error != 0) code = complain(fmt::format("{}: {}", each.path, probe::errno_name(each.error)));
    return code;
}

} // namespace

int main(int argc, char **argv) {
    try {
        std::signal(SIGCHLD, SIG_DFL); // who started us may have set it to be ignored, and we wait for children
        command wanted;
        CLI::App app("laio-probe: what this machine offers to laio, and which way each system call takes.",
                     "laio-probe");
        describe(app, wanted);
        try {
            app.parse(argc, argv);
        } catch (const CLI::ParseError &error) { return app.exit(error) == 0 ? 0 : usage; }
        return wanted.all_calls || !wanted.call.empty() ? print_calls(wanted) : print_report(wanted);
    } catch (const std::exception &failure) {
        std::fprintf(stderr, "laio-probe: %s\n", failure.what());
        return cannot;
    }
}
