#include "statistics.hpp"

#include <laio/laio.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <iterator>
#include <string_view>

namespace httpd {
namespace {

constexpr std::array<std::string_view, LAIO_ROUTES> route_names = {"direct", "attempt", "activation", "home", "queued"};

using laio_counts = struct laio_stats; // there is a function of this name as well

laio_counts counted_by_laio() {
    laio_counts stats{};
    stats.size = sizeof stats;
    laio_stats(&stats);
    return stats;
}

std::string engines_of(const laio_counts &stats) {
    std::string names;
    if ((stats.engines & LAIO_ENGINE_READINESS) != 0) names += "readiness ";
    if ((stats.engines & LAIO_ENGINE_RING) != 0) names += "ring ";
    if ((stats.engines & LAIO_ENGINE_CARRIERS) != 0) names += "carriers ";
    if ((stats.engines & LAIO_ENGINE_ACTIVATIONS) != 0) names += "activations ";
    if (!names.empty()) names.pop_back();
    return names;
}

// What a call of the route cost inside laio_syscall(), about: the median of those that were timed, by proportion between
// the bounds of the bucket it is in. 0 if none was; the last bucket has no upper bound.
double median_ns(const laio_counts &stats, std::size_t route) {
    double before = static_cast<double>(stats.routes[route].sampled) / 2;
    for (unsigned i = 0; before > 0 && i < LAIO_COST_BUCKETS; ++i) {
        const auto here = static_cast<double>(stats.cost_ns[route][i]);
        if (here >= before) {
            const auto low_ns = static_cast<double>(LAIO_COST_BUCKET_NS(i));
            if (i + 1 == LAIO_COST_BUCKETS) return low_ns;
            return std::lerp(low_ns, static_cast<double>(LAIO_COST_BUCKET_NS(i + 1)), before / here);
        }
        before -= here;
    }
    return 0;
}

void write_line(std::string &text, std::string_view name, std::uint64_t value) {
    fmt::format_to(std::back_inserter(text), "  {:<22}{:>14}\n", name, value);
}

void write_milliseconds(std::string &text, std::string_view name, std::int64_t value_ns) {
    fmt::format_to(std::back_inserter(text), "  {:<22}{:>14.1f} ms\n", name, static_cast<double>(value_ns) / 1e6);
}

void write_laio(std::string &text) {
    const auto laio = counted_by_laio();
    const auto out = std::back_inserter(text);
    fmt::format_to(out, "laio ({})\n", engines_of(laio));
    fmt::format_to(out, "  {:<22}{:>14}{:>14}{:>14}\n", "route", "calls", "blocked", "about ns each");
    for (std::size_t i = 0; i < route_names.size(); ++i)
        fmt::format_to(out, "  {:<22}{:>14}{:>14}{:>14.0f}\n", route_names[i], laio.routes[i].calls,
                       laio.routes[i].blocked, median_ns(laio, i));
    write_line(text, "background, at most", laio.outstanding_peak);
    write_line(text, "carriers, at most", laio.carriers_peak);
    write_line(text, "queue depth, at most", laio.queue_depth_peak);
    write_line(text, "ring requests", laio.ring_submitted);
    write_line(text, "readiness waits", laio.readiness_waits);
    write_line(text, "left behind in place", laio.claims);
    write_line(text, "trips home", laio.trips_home);
    write_line(text, "turns of the loop", laio.polls);
    write_line(text, "stalls over 10 ms", laio.stalls);
    write_milliseconds(text, "longest stall", static_cast<std::int64_t>(laio.stall_max_ns));
}

using nlohmann::ordered_json;

ordered_json laio_as_json() {
    const auto laio = counted_by_laio();
    ordered_json routes;
    for (std::size_t i = 0; i < route_names.size(); ++i)
        routes[std::string(route_names[i])] = {{"calls", laio.routes[i].calls},
                                               {"blocked", laio.routes[i].blocked},
                                               {"sampled", laio.routes[i].sampled},
                                               {"sampled_ns", laio.routes[i].sampled_ns},
                                               {"median_ns", std::round(median_ns(laio, i))}};
    return {{"engines", engines_of(laio)},
            {"routes", routes},
            {"outstanding_peak", laio.outstanding_peak},
            {"carriers_peak", laio.carriers_peak},
            {"queue_depth_peak", laio.queue_depth_peak},
            {"ring_submitted", laio.ring_submitted},
            {"readiness_waits", laio.readiness_waits},
            {"claims", laio.claims},
            {"claims_by_sentinel", laio.claims_by_sentinel},
            {"claims_by_watchdog", laio.claims_by_watchdog},
            {"claims_spurious", laio.claims_spurious},
            {"trips_home", laio.trips_home},
            {"polls", laio.polls},
            {"stalls", laio.stalls},
            {"stall_max_ns", laio.stall_max_ns}};
}

ordered_json cache_as_json(const cache_statistics &cache) {
    return {{"hits", cache.hits},
            {"negative_hits", cache.negative_hits},
            {"misses", cache.misses},
            {"stale", cache.stale},
            {"changed", cache.changed},
            {"evicted", cache.evicted},
            {"expired", cache.expired},
            {"entries", cache.entries},
            {"negative_entries", cache.negative_entries},
            {"bytes", cache.bytes}};
}

} // namespace

std::string report_as_text(const server_report &report) {
    const auto &counts = report.counts;
    std::string text = fmt::format("laio-httpd {}\n", report.version);
    write_line(text, "connections", counts.connections);
    write_line(text, "  open at once, at most", counts.connections_peak);
    write_line(text, "accept pauses", counts.accept_pauses);
    write_line(text, "requests", counts.requests);
    for (std::size_t i = 2; i < counts.responses.size(); ++i)
        write_line(text, fmt::format("responses {}xx", i), counts.responses[i]);
    write_line(text, "responses cut short", counts.aborted);
    write_line(text, "timeouts", counts.timeouts);
    write_line(text, "bytes sent", counts.bytes_sent);
    write_line(text, "bytes from files", counts.bytes_read);
    write_line(text, "names found in cache", report.names.hits + report.names.negative_hits);
    write_line(text, "names asked for", report.names.misses + report.names.stale);
    write_line(text, "mapped files found", report.mappings.hits);
    write_line(text, "log lines dropped", report.log_lines_dropped);
    write_line(text, "log errors", report.log_errors);
    write_line(text, "turns of the loop", report.turns.turns);
    write_line(text, "turns over 10 ms", report.turns.long_turns);
    write_milliseconds(text, "longest turn", report.turns.longest_ns);
    if (report.has_laio) write_laio(text);
    return text;
}

std::string report_as_json(const server_report &report) {
    const auto &counts = report.counts;
    ordered_json responses;
    for (std::size_t i = 2; i < counts.responses.size(); ++i) responses[fmt::format("{}xx", i)] = counts.responses[i];
    ordered_json all;
    all["httpd"] = {{"version", report.version},
                    {"connections", counts.connections},
                    {"connections_peak", counts.connections_peak},
                    {"accept_pauses", counts.accept_pauses},
                    {"requests", counts.requests},
                    {"responses", responses},
                    {"responses_cut_short", counts.aborted},
                    {"timeouts", counts.timeouts},
                    {"bytes_sent", counts.bytes_sent},
                    {"bytes_read", counts.bytes_read},
                    {"names", cache_as_json(report.names)},
                    {"mappings", cache_as_json(report.mappings)},
                    {"log_lines_dropped", report.log_lines_dropped},
                    {"log_errors", report.log_errors},
                    {"turns", report.turns.turns},
                    {"long_turns", report.turns.long_turns},
                    {"longest_turn_ns", report.turns.longest_ns}};
    if (report.has_laio) all["laio"] = laio_as_json();
    return all.dump(2) + "\n";
}

} // namespace httpd
