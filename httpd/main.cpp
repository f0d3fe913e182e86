// laio-httpd: the command line, and the order of starting and ending. docs/man/laio-httpd.1 is the contract.

#include "privileges.hpp"
#include "server.hpp"
#include "versions.hpp"

#include <CLI/CLI.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <string_view>

namespace {

constexpr std::string_view default_version = "Flash-LAIO-LAIO";

struct reporting {
    bool wanted = false;
    bool as_json = false;
};

void milliseconds_option(CLI::App &app, const std::string &name, std::chrono::milliseconds &value,
                         const std::string &meaning) {
    app.add_option_function<std::uint32_t>(
           name, [&value](const std::uint32_t &given) { value = std::chrono::milliseconds(given); }, meaning)
        ->check(CLI::Range(1U, 86400000U))
        ->default_str(std::to_string(value.count()))
        ->type_name("MS");
}

void list_versions() {
    for (const auto &one : httpd::all_versions())
        std::printf("%.*s\n", static_cast<int>(one.name.size()), one.name.data());
    throw CLI::Success();
}

void describe(CLI::App &app, httpd::server_options &options, reporting &report) {
    app.add_option("DIR", options.directory, "The directory to serve")->required();
    app.add_option_function<std::string>(
           "--version-name", [&options](const std::string &name) { options.chosen = httpd::find_version(name); },
           "The version of the server; --list-versions")
        ->check([](const std::string &name) {
            return httpd::find_version(name) != nullptr ? "" : name + " is no version; see --list-versions";
        })
        ->default_str(std::string(default_version))
        ->type_name("NAME");
    app.add_flag_callback("--list-versions", list_versions, "List the versions, one a line, and exit");
    app.add_option("-p,--port", options.port, "Port to listen on; 0: the kernel chooses")->capture_default_str();
    app.add_option("-a,--address", options.address, "Numeric address to listen on")->capture_default_str();
    app.add_option("--connections", options.connections_max, "Connections at once, at most")
        ->check(CLI::Range(1U, 1000000U))
        ->capture_default_str();
    app.add_option("--disk-concurrency", options.disk_concurrency, "Helpers, reads or blocked calls at once, at most")
        ->check(CLI::Range(1U, 1024U))
        ->capture_default_str();
    app.add_option("--head-limit", options.limits.head_bytes, "Bytes of a request head, at most")
        ->check(CLI::Range(256U, 65536U))
        ->capture_default_str();
    app.add_option("--body-limit", options.limits.body_bytes, "Bytes of a request body (which is dropped), at most")
        ->capture_default_str();
    milliseconds_option(app, "--idle-timeout-ms", options.idle_timeout,
                        "How long a connection may be without a request");
    milliseconds_option(app, "--head-timeout-ms", options.head_timeout, "How long a request may take to arrive");
    milliseconds_option(app, "--send-timeout-ms", options.send_timeout,
                        "How long a client may take to accept 256 KB of a response");
    milliseconds_option(app, "--drain-timeout-ms", options.drain_timeout,
                        "How long requests may go on after the signal to stop");
    app.add_option("--log", options.log, "Access log, in the combined format: a file, or - for standard output")
        ->type_name("FILE");
    app.add_option("--user", options.user, "User to become when all is open")->type_name("NAME");
    app.add_option("--cache-files", options.caches.files_max, "Files kept open, at most; 0: none")
        ->check(CLI::Range(0U, 1000000U))
        ->capture_default_str();
    app.add_option("--cache-errors", options.caches.negative_names_max, "Names without a file remembered, at most")
        ->check(CLI::Range(0U, 1000000U))
        ->capture_default_str();
    milliseconds_option(app, "--cache-valid-ms", options.caches.valid, "How long what is known of a name holds");
    milliseconds_option(app, "--cache-idle-ms", options.caches.idle, "How long a file that nobody asks for is kept");
    app.add_option("--cache-mapped-bytes", options.caches.unused_mapped_bytes_max,
                   "Bytes of mapped files that nobody is being sent, at most (thttpd)")
        ->capture_default_str();
    app.add_flag("--stats", report.wanted, "Print statistics on exit, and at SIGUSR1");
    app.add_flag("--json", report.as_json, "Print them as JSON")->needs("--stats");
}

// A connection needs a descriptor for its socket and one for the file that it is being sent, which most often is one that the
// cache has open, too; where that is not so, the cache gives up its own when they run out. Who helps with the disk has one or
// two.
void fit_descriptors(httpd::server_options &options) {
    const rlim_t others = 64 + 2 * rlim_t{options.disk_concurrency};
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    const auto room = (std::max(limit.rlim_cur, others + 2) - others) / 2;
    options.connections_max = static_cast<std::uint32_t>(std::min<rlim_t>(options.connections_max, room));
    options.caches.files_max = std::min<std::size_t>(options.caches.files_max, room / 2);
}

void print(const httpd::server_report &report, bool as_json) {
    const auto text = as_json ? httpd::report_as_json(report) : httpd::report_as_text(report);
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
}

int serve(httpd::server_options options, reporting report) {
    std::signal(SIGPIPE, SIG_IGN);
    fit_descriptors(options);
    const httpd::server *itself = nullptr;
    httpd::server server(options, [&itself, &report] {
        if (report.wanted) print(itself->report(), report.as_json);
    });
    itself = &server;
    if (!options.user.empty()) httpd::become(options.user);
    std::printf("%s\n", server.url().c_str());
    std::fflush(stdout);

    const bool all_ended = server.run();
    if (report.wanted) print(server.report(), report.as_json);
    if (!all_ended) _exit(0);
    return 0;
}

} // namespace

int main(int argc, char **argv) {
    try {
        httpd::server_options options;
        options.chosen = httpd::find_version(default_version);
        reporting report;
        CLI::App app(
            "laio-httpd: serves the files of a directory over HTTP/1.1 from one thread, through lazy asynchronous "
            "system calls or in one of the other ways that the LAIO paper compares.",
            "laio-httpd");
        describe(app, options, report);
        CLI11_PARSE(app, argc, argv);
        return serve(options, report);
    } catch (const std::exception &failure) {
        std::fprintf(stderr, "laio-httpd: %s\n", failure.what());
        return 1;
    }
}
