#include "judging.hpp"

#include "client/run.hpp"
#include "output_file.hpp"
#include "report/progress.hpp"
#include "report/report.hpp"
#include "subcommand.hpp"

#include <fmt/format.h>

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

namespace replay {

namespace {

stop_request &asked_to_stop() {
    static stop_request one;
    return one;
}

void catch_signals() {
    asked_to_stop(); // is made here, not in the handler
    struct sigaction action {};
    action.sa_handler = [](int) { asked_to_stop().make(); };
    action.sa_flags = static_cast<int>(SA_RESETHAND); // the second one ends the program
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
}

std::chrono::nanoseconds seconds(double s) { return std::chrono::nanoseconds(static_cast<std::int64_t>(s * 1e9)); }

void make_room_for(std::size_t connections) {
    const rlim_t wanted = connections + 32;
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < wanted)
        throw std::runtime_error(fmt::format("{} clients need {} descriptors, and the limit is {} (ulimit -Hn)",
                                             connections, wanted, limit.rlim_max));
    if (limit.rlim_cur >= wanted) return;
    limit.rlim_cur = wanted;
    setrlimit(RLIMIT_NOFILE, &limit);
}

std::string why_no_url(const std::string &text) {
    try {
        parse_url(text);
        return "";
    } catch (const std::invalid_argument &why) { return why.what(); }
}

// Without a single answer there is nothing to report, whether or not there was an error: a server may be silent.
bool fared_well(const tally *part, const char *whose) {
    if (part == nullptr) return true;
    if (part->requests == 0) fmt::print(stderr, "laio-replay: no request{} succeeded\n", whose);
    return part->requests > 0 && part->errors() == 0;
}

struct played {
    std::optional<server_view> view;
    std::optional<player> by;

    void prepare(const part &what, const url &server, const endpoint &address, run &on) {
        view.emplace(view_of(server, address, what.connection_per_request));
        on.equip(*view);
        by.emplace(*view, *what.paths, what.pace, what.clients);
    }
    const tally *counts() const { return by ? &by->counts() : nullptr; }
};

} // namespace

void add_judging_options(CLI::App &app, judging_options &options) {
    app.add_option("URL", options.url, "The server: http://HOST[:PORT]/")->required()->check(why_no_url);
    app.add_option("--timeout", options.timeout_s, "Seconds without any progress after which a request has failed")
        ->check(CLI::Range(0.01, 86400.0))
        ->capture_default_str();
    app.add_option("--middle", options.middle_percent,
                   "Judge the client's CPU, and report the throughput apart, of this middle part of the time, percent")
        ->check(CLI::Range(1.0, 100.0))
        ->capture_default_str();
    app.add_option("--cpu", options.cpu, "Run on this CPU only");
    app.add_option("--verify", options.verify_every,
                   "Compare each N-th body with what generated files hold (0, the default: none; 1: all)")
        ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 32))
        ->type_name("N");
    app.add_flag("--json", options.as_json, "Report as JSON");
    app.add_option("--histogram", options.histogram_file, "Write the distributions of times there")->type_name("FILE");
    app.add_flag("--progress", options.progress, "Tell each second how it goes, also where nobody looks at a terminal");
}

int judge(const judging_options &options, const std::optional<part> &load, const std::optional<part> &probe,
          nlohmann::ordered_json settings) {
    if (options.cpu) pin_to(*options.cpu);
    make_room_for((load ? load->clients.clients : 0) + (probe ? probe->clients.clients : 0));
    std::optional<output_file> histograms; // opened now: a wrong name is told before the run, not after it
    if (!options.histogram_file.empty()) histograms.emplace(options.histogram_file);
    const auto server = parse_url(options.url);
    const auto address = resolve(server); // once: a name may have several
    catch_signals();

    run stage;
    played loaded, probed;
    std::vector<player *> players;
    if (load) loaded.prepare(*load, server, address, stage), players.push_back(&*loaded.by);
    if (probe) probed.prepare(*probe, server, address, stage), players.push_back(&*probed.by);

    run_options how{
        .middle_percent = options.middle_percent, .timeout = seconds(options.timeout_s), .stop = &asked_to_stop()};
    if (options.duration_s > 0) how.duration = seconds(options.duration_s);
    progress shown(players.front()->counts(), players.front()->plan().sequences());
    if (options.progress || isatty(STDERR_FILENO) != 0)
        how.tell = [&shown](std::chrono::nanoseconds elapsed) { shown.tell(elapsed); };
    const auto result = stage.play(players, how);
    shown.clear();

    const auto or_null = [](const auto &value) { return value ? nlohmann::ordered_json(*value) : nullptr; };
    settings["duration_s"] = options.duration_s > 0 ? nlohmann::ordered_json(options.duration_s) : nullptr;
    settings["timeout_s"] = options.timeout_s;
    settings["verify_every"] = options.verify_every.value_or(0);
    settings["cpu"] = or_null(options.cpu);
    const report made{.load = loaded.counts(),
                      .probe = probed.counts(),
                      .settings = std::move(settings),
                      .url = options.url,
                      .clients = load ? load->clients.clients : 0,
                      .elapsed = result.elapsed,
                      .middle_percent = options.middle_percent,
                      .cpu_share = result.cpu.own,
                      .cpu_idle = result.cpu.cpu_idle,
                      .client_bound = result.cpu.client_bound(),
                      .interrupted = result.interrupted};
    print(options.as_json ? as_json(made) : as_text(made));
    if (histograms) {
        write_histograms(made, histograms->stream());
        histograms->commit();
    }
    return !result.interrupted && fared_well(made.load, "") && fared_well(made.probe, " of the probe") ? 0 : 1;
}

part probe_of(const trace &hot, double per_second, std::size_t connections, std::uint64_t verify_every) {
    return {.paths = &hot,
            .pace = {.kind = pace::even, .per_second = per_second, .rounds = 0},
            .clients = {.clients = connections, .keeps_connections = true, .verify_every = verify_every}};
}

nlohmann::ordered_json settings_of(const std::vector<std::string> &paths, double per_second, std::size_t connections) {
    return {{"paths", paths}, {"rate", per_second}, {"connections", connections}};
}

trace trace_of(const std::vector<std::string> &paths) {
    trace made;
    for (const auto &path : paths) {
        if (!is_request_path(path)) throw usage_error("'" + path + "' is no path of a request: it must begin with '/'");
        made.add_request(path);
        made.end_sequence();
    }
    return made;
}

} // namespace replay
