// laio-replay play: a trace, in a closed or an open loop, with a probe beside it if one is asked for.

#include "judging.hpp"
#include "subcommand.hpp"
#include "trace/text_format.hpp"

#include <array>
#include <memory>
#include <utility>

namespace replay {

namespace {

constexpr std::uint64_t generated_verify_every = 100;

struct play_options : judging_options {
    std::string trace_file;
    std::size_t clients = 64;
    bool connection_per_request = false, generated = false;
    std::optional<std::uint64_t> rounds;

    double rate = 0;
    std::string arrivals = "poisson";
    bool timed = false;
    double speed = 1;
    std::uint64_t seed = 1;

    std::string probe_paths; // with commas between them
    double probe_rate = 100;
    std::size_t probe_connections = 4;
};

schedule_options pace_of(const play_options &options, const trace &played) {
    schedule_options made{.per_second = options.rate, .speed = options.speed, .seed = options.seed};
    if (options.timed) {
        if (!played.timed())
            throw usage_error(options.trace_file + ": --timed needs a time (@SECONDS) at each sequence");
        made.kind = pace::as_traced;
    } else if (options.rate > 0) {
        made.kind = options.arrivals == "poisson" ? pace::poisson : pace::even;
    }
    // For a given time, the trace is played as often as fits.
    if (!options.timed) made.rounds = options.rounds.value_or(options.duration_s > 0 ? 0 : 1);
    return made;
}

// Null: of no account in this mode.
nlohmann::ordered_json load_settings(const play_options &options, const schedule_options &pace) {
    constexpr std::array modes{"closed", "constant", "poisson", "timed"}; // as the kinds of pace are ordered
    const auto only_in = [&pace](replay::pace kind, auto value) {
        return pace.kind == kind ? nlohmann::ordered_json(value) : nullptr;
    };
    return {{"trace", options.trace_file},
            {"clients", options.clients},
            {"connection_per_request", options.connection_per_request},
            {"mode", modes.at(static_cast<std::size_t>(pace.kind))},
            {"rate", options.rate > 0 ? nlohmann::ordered_json(options.rate) : nullptr},
            {"seed", only_in(pace::poisson, options.seed)},
            {"speed", only_in(pace::as_traced, options.speed)},
            {"repeat", pace.rounds},
            {"probe", nullptr}};
}

int play(play_options options) {
    if (options.generated && options.verify_every == 0U)
        throw usage_error("--generated asks for bodies to be compared, and --verify 0 for none");
    if (options.generated && !options.verify_every) options.verify_every = generated_verify_every;
    const auto verify_every = options.verify_every.value_or(0);
    const auto played = read_text_file(options.trace_file);
    const part load{.paths = &played,
                    .pace = pace_of(options, played),
                    .clients = {.clients = options.clients, .verify_every = verify_every},
                    .connection_per_request = options.connection_per_request};
    auto settings = load_settings(options, load.pace);
    if (options.probe_paths.empty()) return judge(options, load, {}, std::move(settings));
    const auto paths = CLI::detail::split(options.probe_paths, ',');
    const auto hot = trace_of(paths);
    settings["probe"] = settings_of(paths, options.probe_rate, options.probe_connections);
    return judge(options, load, probe_of(hot, options.probe_rate, options.probe_connections, verify_every),
                 std::move(settings));
}

} // namespace

subcommand add_play(CLI::App &app) {
    auto *made = app.add_subcommand("play", "Play a trace against a server, and report throughput, times and errors");
    const auto options = std::make_shared<play_options>();
    add_judging_options(*made, *options);
    made->add_option("TRACE", options->trace_file, "The trace; - is standard input")->required();
    made->add_option("-c,--clients", options->clients, "Clients at once; in an open loop, connections at once, at most")
        ->check(CLI::Range(1, 100000))
        ->capture_default_str();
    made->add_flag("--connection-per-request", options->connection_per_request,
                   "A connection for each request, instead of one for each sequence");
    auto *rounds =
        made->add_option("--repeat", options->rounds, "Play the trace so often; 0: without end")->type_name("N");
    made->add_option("--duration", options->duration_s,
                     "Stop after so many seconds; until then the trace is repeated, unless --repeat or --timed")
        ->check(CLI::Range(0.001, 1e6))
        ->type_name("S");
    made->add_flag("--generated", options->generated, "The tree was made by `laio-replay generate`: --verify 100");

    auto *rate = made->add_option("--rate", options->rate, "Open loop: so many sequences start each second")
                     ->check(CLI::Range(1e-6, 1e7))
                     ->type_name("PER_S");
    made->add_option("--arrivals", options->arrivals, "How they are spread: poisson or constant")
        ->check(CLI::IsMember({"poisson", "constant"}))
        ->capture_default_str()
        ->needs(rate);
    made->add_option("--seed", options->seed, "Of the Poisson process")->needs(rate)->capture_default_str();
    auto *timed = made->add_flag("--timed", options->timed, "Open loop: sequences start at the trace's times")
                      ->excludes(rate)
                      ->excludes(rounds);
    made->add_option("--speed", options->speed, "So many times as fast as the trace's times")
        ->check(CLI::Range(1e-6, 1e6))
        ->capture_default_str()
        ->needs(timed);

    auto *probe =
        made->add_option("--probe", options->probe_paths, "Beside the load, ask for these on other connections")
            ->type_name("PATH,...");
    made->add_option("--probe-rate", options->probe_rate, "Requests of the probe each second, evenly spread")
        ->check(CLI::Range(0.001, 1e6))
        ->capture_default_str()
        ->needs(probe);
    made->add_option("--probe-connections", options->probe_connections, "Connections of the probe")
        ->check(CLI::Range(1, 10000))
        ->capture_default_str()
        ->needs(probe);
    return {made, [options] { return play(*options); }};
}

} // namespace replay
