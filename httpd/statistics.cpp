#include "statistics.hpp"

#include "event_loop.hpp"

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

} // namespace

std::string report_as_text(const statistics &counts, const turn_counts &turns) {
    const auto laio = counted_by_laio();
    std::string text;
    const auto out = std::back_inserter(text);
    const auto line = [&](std::string_view name, std::uint64_t value) {
        fmt::format_to(out, "  {:<22}{:>14}\n", name, value);
    };

    text += "laio-httpd\n";
    line("connections", counts.connections);
    line("  open at once, at most", counts.connections_peak);
    line("accept pauses", counts.accept_pauses);
    line("requests", counts.requests);
    for (std::size_t i = 2; i < counts.responses.size(); ++i)
        line(fmt::format("responses {}xx", i), counts.responses[i]);
    line("responses cut short", counts.aborted);
    line("timeouts", counts.timeouts);
    line("bytes sent", counts.bytes_sent);
    line("bytes from files", counts.bytes_read);
    line("turns of the loop", turns.turns);
    line("turns over 10 ms", turns.long_turns);
    fmt::format_to(out, "  {:<22}{:>14.1f} ms\n", "longest turn", static_cast<double>(turns.longest_ns) / 1e6);

    fmt::format_to(out, "laio ({})\n", engines_of(laio));
    fmt::format_to(out, "  {:<22}{:>14}{:>14}{:>14}\n", "route", "calls", "blocked", "about ns each");
    for (std::size_t i = 0; i < route_names.size(); ++i)
        fmt::format_to(out, "  {:<22}{:>14}{:>14}{:>14.0f}\n", route_names[i], laio.routes[i].calls,
                       laio.routes[i].blocked, median_ns(laio, i));
    line("background, at most", laio.outstanding_peak);
    line("carriers, at most", laio.carriers_peak);
    line("queue depth, at most", laio.queue_depth_peak);
    line("ring requests", laio.ring_submitted);
    line("readiness waits", laio.readiness_waits);
    line("left behind in place", laio.claims);
    line("trips home", laio.trips_home);
    line("turns of the loop", laio.polls);
    line("stalls over 10 ms", laio.stalls);
    fmt::format_to(out, "  {:<22}{:>14.1f} ms\n", "longest stall", static_cast<double>(laio.stall_max_ns) / 1e6);
    return text;
}

std::string report_as_json(const statistics &counts, const turn_counts &turns) {
    using nlohmann::ordered_json;
    const auto laio = counted_by_laio();

    ordered_json responses;
    for (std::size_t i = 2; i < counts.responses.size(); ++i) responses[fmt::format("{}xx", i)] = counts.responses[i];
    ordered_json routes;
    for (std::size_t i = 0; i < route_names.size(); ++i)
        routes[std::string(route_names[i])] = {{"calls", laio.routes[i].calls},
                                               {"blocked", laio.routes[i].blocked},
                                               {"sampled", laio.routes[i].sampled},
                                               {"sampled_ns", laio.routes[i].sampled_ns},
                                               {"median_ns", std::round(median_ns(laio, i))}};

    ordered_json report;
    report["httpd"] = {{"connections", counts.connections},
                       {"connections_peak", counts.connections_peak},
                       {"accept_pauses", counts.accept_pauses},
                       {"requests", counts.requests},
                       {"responses", responses},
                       {"responses_cut_short", counts.aborted},
                       {"timeouts", counts.timeouts},
                       {"bytes_sent", counts.bytes_sent},
                       {"bytes_read", counts.bytes_read},
                       {"turns", turns.turns},
                       {"long_turns", turns.long_turns},
                       {"longest_turn_ns", turns.longest_ns}};
    report["laio"] = {{"engines", engines_of(laio)},
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
    return report.dump(2) + "\n";
}

} // namespace httpd
