#include "options.hpp"

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <filesystem>

namespace slowfs {
namespace {

constexpr int wrong_use = 2;

void duration_option(CLI::App &app, const std::string &name, nanoseconds &value, const std::string &meaning) {
    app.add_option_function<std::string>(
           name, [&value](const std::string &text) { value = parse_duration(text).value(); }, meaning)
        ->check([](const std::string &text) {
            return parse_duration(text) ? ""
                                        : "'" + text + "' is no duration such as 8.5ms (ns, us, ms, s; 24 h at most)";
        })
        ->default_str(print_duration(value))
        ->type_name("DURATION");
}

// In bytes; kb, mb, gb are powers of 1000, kib, mib, gib of 1024.
CLI::Option *size_option(CLI::App &app, const std::string &name, std::uint64_t &value, const std::string &meaning) {
    return app.add_option(name, value, meaning)
        ->transform(CLI::AsSizeValue(true))
        ->capture_default_str()
        ->type_name("SIZE");
}

template <class choice>
void choice_option(CLI::App &app, const std::string &name, choice &value, const std::map<std::string, choice> &names,
                   const std::string &meaning) {
    std::string all;
    std::string otherwise;
    for (const auto &[word, what] : names) {
        all += (all.empty() ? "" : "|") + word;
        if (what == value) otherwise = word;
    }
    app.add_option(name, value, meaning)
        ->transform(CLI::CheckedTransformer(names).description(""))
        ->default_str(otherwise)
        ->type_name(all);
}

void describe_arm(CLI::App &app, options &of) {
    auto &arm = of.model.arm;
    size_option(app, "--span", of.span_bytes, "Bytes that a full stroke of the arm passes over; 0: all that is there");
    duration_option(app, "--seek-min", arm.seek_min, "To the next track");
    duration_option(app, "--seek-max", arm.seek_max, "Over the span");
    app.add_option("--seek-exponent", arm.seek_exponent, "Between them: the share of the span to this power")
        ->check(CLI::Range(0.05, 4.0))
        ->capture_default_str();
    app.add_option("--rpm", arm.rpm, "Revolutions a minute; 0: it does not turn")
        ->check(CLI::Range(0.0, 1e6))
        ->capture_default_str();
    size_option(app, "--rate", arm.rate, "Bytes a second")->check(CLI::PositiveNumber);
    size_option(app, "--track-buffer", arm.ahead_bytes, "Bytes kept of what passes after an access");
    choice_option(app, "--queue", of.model.order,
                  {{"fifo", discipline::fifo}, {"c-look", discipline::c_look}, {"ncq", discipline::ncq}},
                  "Which access is next");
}

void describe_flash(CLI::App &app, options &of) {
    auto &flash = of.model.flash;
    app.add_option("--channels", flash.channels, "Accesses served at once")
        ->check(CLI::Range(1U, 4096U))
        ->capture_default_str();
    duration_option(app, "--latency", flash.latency, "Of an access, in the mean, before the transfer");
    app.add_option("--deviation", flash.deviation, "Of the latency's logarithm; 0: it is always the same")
        ->check(CLI::Range(0.0, 4.0))
        ->capture_default_str();
    size_option(app, "--channel-rate", flash.rate, "Bytes a second of a channel")->check(CLI::PositiveNumber);
    choice_option(app, "--choice", flash.choice,
                  {{"least-busy", channel_choice::least_busy}, {"address", channel_choice::by_address}},
                  "Which channel an access goes to");
    size_option(app, "--stripe", flash.stripe_bytes, "With --choice address: bytes that are on one channel together")
        ->check(CLI::PositiveNumber);
    app.add_option("--seed", flash.seed, "Of the latencies")->capture_default_str();
}

void describe_mount(CLI::App &app, options &of) {
    app.add_option("--stats", of.statistics, "Where the statistics go, at the end and at SIGUSR1: a file, or -")
        ->type_name("FILE");
    app.add_flag("--background", of.in_background, "Go on in the background once it is mounted");
    app.add_flag("--allow-other,!--no-allow-other", of.mount.for_others,
                 "Let other users in (root's default; others need user_allow_other in /etc/fuse.conf)");
    app.add_option("--keep-s", of.kernel.keep_s, "How long the kernel keeps names and attributes")
        ->check(CLI::Range(0.0, 1e9))
        ->capture_default_str();
    app.add_option("--background-max", of.kernel.background_max, "Reads ahead under way, at most")
        ->check(CLI::Range(1U, 65535U))
        ->capture_default_str();
    app.add_option("--max-read", of.kernel.read_max, "Bytes of a request, at most; 0: as the kernel likes")
        ->transform(CLI::AsSizeValue(true))
        ->check(CLI::Range(0U, 1048576U))
        ->capture_default_str();
    app.add_option("--read-ahead-kb", of.mount.read_ahead_kb, "The kernel's read-ahead; root only; 0: as it is")
        ->check(CLI::Range(0U, 1048576U))
        ->capture_default_str();
}

void describe(CLI::App &app, options &of, std::vector<std::string> &places) {
    app.add_option("PATHS", places, "SOURCE MOUNTPOINT, or with --files MOUNTPOINT alone")
        ->required()
        ->expected(1, 2)
        ->type_name("");
    app.add_option("--files", of.list, "Instead of a folder: a list of files, a line SIZE PATH for each, made up")
        ->type_name("LIST");
    choice_option(app, "--model", of.model.which,
                  {{"7200rpm", model::arm}, {"flash", model::flash}, {"none", model::none}}, "The disk");
    app.add_option("--cost", "What an operation costs: accesses of the disk, or a duration beside it; often")
        ->each([&of](const std::string &text) {
            if (auto wrong = of.costs.set(text); !wrong.empty()) throw CLI::ValidationError("--cost", wrong);
        })
        ->expected(1)
        ->take_all()
        ->type_name("OPERATION=COST");
    app.add_option("--speed", of.speed, "Divides all times")->check(CLI::Range(1e-3, 1e6))->capture_default_str();
    describe_mount(app, of);
    auto *arm = app.add_option_group("7200rpm", "Of a disk with an arm");
    describe_arm(*arm, of);
    auto *flash = app.add_option_group("flash", "Of flash");
    describe_flash(*flash, of);
}

// A parameter of another model would be without effect, and whoever gave it mistaken.
void check_groups(const CLI::App &app, const options &of) {
    for (const auto *group : app.get_subcommands(nullptr)) {
        if (group->get_group() == model_names.at(static_cast<std::size_t>(of.model.which))) continue;
        for (const auto *option : group->get_options())
            if (option->count() > 0) throw CLI::ValidationError(option->get_name(), "belongs to another --model");
    }
}

void place_paths(options &of, const std::vector<std::string> &places) {
    const std::size_t wanted = of.list.empty() ? 2 : 1;
    if (places.size() != wanted)
        throw CLI::ValidationError("PATHS", wanted == 2 ? "SOURCE MOUNTPOINT, or --files LIST MOUNTPOINT"
                                                        : "with --files there is no SOURCE, only MOUNTPOINT");
    if (wanted == 2) of.folder = places.front();
    of.mount.at = places.back();
}

} // namespace

options parse_options(int argc, char **argv) {
    options found;
    found.mount.for_others = geteuid() == 0;
    std::vector<std::string> places;
    CLI::App app("laio-slowfs: shows a folder, or files that are only listed, as a slow disk would.", "laio-slowfs");
    describe(app, found, places);
    try {
        app.parse(argc, argv);
        check_groups(app, found);
        place_paths(found, places);
    } catch (const CLI::ParseError &error) { throw nothing_to_do{app.exit(error) == 0 ? 0 : wrong_use}; }
    found.mount.read_max = found.kernel.read_max;
    if (found.model.arm.seek_min > found.model.arm.seek_max) {
        std::fputs("--seek-min is above --seek-max\n", stderr);
        throw nothing_to_do{wrong_use};
    }
    return found;
}

} // namespace slowfs
