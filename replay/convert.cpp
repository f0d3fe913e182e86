// laio-replay convert: traces from one format into another. What the other cannot hold is counted, and said on stderr.

#include "output_file.hpp"
#include "subcommand.hpp"
#include "trace/formats.hpp"
#include "trace/input_error.hpp"
#include "trace/input_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

namespace replay {
namespace {

struct convert_options {
    std::string from, to = "text";
    std::int64_t gap_s = default_gap.count(); // whole ones: a log has no others
    std::string in = "-", out = "-";
};

trace_format format_of(input_file &in, const std::string &from) {
    if (!from.empty()) return *format_named(from);
    if (in.is_standard_input()) throw usage_error("--from is needed to read the standard input");
    std::string beginning(65536, '\0');
    in.stream().read(beginning.data(), static_cast<std::streamsize>(beginning.size()));
    beginning.resize(static_cast<std::size_t>(in.stream().gcount()));
    in.stream().clear();
    in.stream().seekg(0);
    const auto guess = guess_format(beginning);
    if (!guess) throw usage_error(in.name() + ": its beginning does not say which format it is in; --from does");
    return *guess;
}

void tell(const left_out &what) {
    const auto phrases = what.phrases();
    if (!phrases.empty()) fmt::print(stderr, "laio-replay: left out: {}\n", fmt::join(phrases, ", "));
}

int convert(const convert_options &options) {
    left_out not_taken;
    input_file in(options.in);
    const auto format = format_of(in, options.from);
    const auto gap = std::chrono::seconds(options.gap_s);
    const trace converted = read_trace(in.stream(), in.name(), format, gap, not_taken);
    output_file out(options.out);
    write_trace(converted, out.stream(), *format_named(options.to), not_taken);
    out.commit();
    tell(not_taken);
    fmt::print(stderr, "laio-replay: {} requests in {} sequences, from {} to {}\n", converted.requests(),
               converted.sequences(), name_of(format), options.to);
    return 0;
}

} // namespace

subcommand add_convert(CLI::App &app) {
    auto *made = app.add_subcommand("convert", "Convert a trace from one format into another");
    const auto options = std::make_shared<convert_options>();
    made->add_option("--from", options->from,
                     "Format of IN: text, httperf, common or combined; guessed where IN's beginning says it")
        ->check(CLI::IsMember({"text", "httperf", "common", "combined"}))
        ->type_name("FORMAT");
    made->add_option("--to", options->to, "Format of OUT: text or httperf")
        ->check(CLI::IsMember({"text", "httperf"}))
        ->type_name("FORMAT")
        ->capture_default_str();
    made->add_option("--gap", options->gap_s,
                     "Logs: a pause of more than so many whole seconds ends a client's sequence")
        ->check(CLI::Range(std::int64_t{0}, std::int64_t{1'000'000'000}))
        ->type_name("S")
        ->capture_default_str();
    made->add_option("IN", options->in, "The trace; - is standard input")->capture_default_str();
    made->add_option("OUT", options->out, "The converted trace; - is standard output")->capture_default_str();
    return {made, [options] { return convert(*options); }};
}

} // namespace replay
