#include "report/report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <ostream>
#include <utility>

namespace replay {

namespace {

using std::chrono::nanoseconds;
using json = nlohmann::ordered_json;

double seconds(nanoseconds time) { return std::chrono::duration<double>(time).count(); }
double microseconds(nanoseconds time) { return std::chrono::duration<double, std::micro>(time).count(); }

struct rate {
    double megabits_per_s = 0, requests_per_s = 0;
};

rate rate_of(const flow &what, nanoseconds during) {
    const double s = seconds(during);
    return s > 0 ? rate{what.bytes * 8 / 1e6 / s, what.requests / s} : rate{};
}

rate overall(const tally &counts, const report &of) {
    return rate_of({static_cast<double>(counts.requests), static_cast<double>(counts.body_bytes)}, of.elapsed);
}

rate middle(const tally &counts, const report &of) {
    const auto length =
        nanoseconds(static_cast<std::int64_t>(static_cast<double>(of.elapsed.count()) * of.middle_percent / 100));
    const auto from = (of.elapsed - length) / 2;
    return rate_of(counts.flow.between(from, from + length), length);
}

struct named_share {
    const char *name;
    double share;
};
constexpr std::array quantiles{named_share{"50", 0.5}, named_share{"90", 0.9}, named_share{"99", 0.99},
                               named_share{"99.9", 0.999}};

std::string time_text(nanoseconds time) {
    const double us = microseconds(time);
    if (us < 1000) return fmt::format("{:.0f} us", us);
    if (us < 1e6) return fmt::format("{:.2f} ms", us / 1000);
    return fmt::format("{:.2f} s", us / 1e6);
}

std::string times_text(const std::string &name, const histogram &times) {
    if (times.count() == 0) return fmt::format("{:<20}none\n", name);
    auto line = fmt::format("{:<20}mean {}", name, time_text(times.mean()));
    for (const auto &[label, share] : quantiles)
        line += fmt::format(", {} % {}", label, time_text(times.quantile(share)));
    return line + fmt::format(", max {}\n", time_text(times.greatest()));
}

std::string rate_text(const std::string &name, const rate &of) {
    return fmt::format("{:<20}{:.1f} Mb/s, {:.1f} requests/s\n", name, of.megabits_per_s, of.requests_per_s);
}

std::string errors_text(const tally &counts) {
    if (counts.errors() == 0) return fmt::format("{:<20}none\n", "errors");
    auto line = fmt::format("{:<20}{}:", "errors", counts.errors());
    for (std::size_t i = 0; i < counts.failures.size(); ++i)
        if (counts.failures[i] > 0) line += fmt::format(" {} {}", counts.failures[i], failure_names[i]);
    for (const auto &[status, count] : counts.statuses)
        if (status / 100 != 2) line += fmt::format("; {} with status {}", count, status);
    return line + "\n";
}

std::string part_text(const std::string &name, const tally &counts, const report &of) {
    auto text = fmt::format("{:<20}{} requests in {} sequences over {} connections{}\n", name, counts.requests,
                            counts.sequences, counts.connections,
                            counts.unfinished > 0 ? fmt::format(", {} unfinished", counts.unfinished) : "");
    text += rate_text("throughput", overall(counts, of));
    text += rate_text(fmt::format("  middle {:g} %", of.middle_percent), middle(counts, of));
    text += times_text("response time", counts.response);
    text += times_text("  to first byte", counts.first_byte);
    text += times_text("connecting", counts.connect);
    if (counts.lag.count() > 0) text += times_text("started late by", counts.lag);
    if (counts.censored > 0)
        text += fmt::format("{:<20}{}: counted in the times with how long they had waited so far\n", "censored",
                            counts.censored);
    if (counts.verified > 0) text += fmt::format("{:<20}{} bodies\n", "compared", counts.verified);
    return text + errors_text(counts);
}

// Null where nothing was seen: a zero would be the best time of all.
json times_json(const histogram &times) {
    const auto time = [&times](nanoseconds seen) {
        return times.count() > 0 ? json(microseconds(seen)) : json(nullptr);
    };
    json made{{"count", times.count()}, {"mean", time(times.mean())}, {"min", time(times.least())}};
    for (const auto &[label, share] : quantiles) made[std::string("p") + label] = time(times.quantile(share));
    made["max"] = time(times.greatest());
    return made;
}

json rate_json(const rate &of) {
    return {{"megabits_per_s", of.megabits_per_s}, {"requests_per_s", of.requests_per_s}};
}

json part_json(const tally *part, const report &of) {
    if (part == nullptr) return nullptr;
    const auto &counts = *part;
    auto errors = json::object(), statuses = json::object();
    for (std::size_t i = 1; i < counts.failures.size(); ++i) errors[std::string(failure_names[i])] = counts.failures[i];
    for (const auto &[status, count] : counts.statuses) statuses[std::to_string(status)] = count;
    return {{"requests", counts.requests},
            {"sequences", counts.sequences},
            {"connections", counts.connections},
            {"unfinished", counts.unfinished},
            {"censored", counts.censored},
            {"body_bytes", counts.body_bytes},
            {"throughput", rate_json(overall(counts, of))},
            {"throughput_middle", rate_json(middle(counts, of))},
            {"response_us", times_json(counts.response)},
            {"first_byte_us", times_json(counts.first_byte)},
            {"connect_us", times_json(counts.connect)},
            {"lag_us", times_json(counts.lag)},
            {"verified", counts.verified},
            {"errors_total", counts.errors()},
            {"errors", errors},
            {"statuses", statuses}};
}

void write_histogram(const std::string &name, const histogram &times, std::ostream &out) {
    std::uint64_t sum = 0;
    for (const auto &one : times.buckets()) {
        sum += one.count;
        out << fmt::format("{}\t{:.3f}\t{:.3f}\t{}\t{:.9g}\n", name, microseconds(one.from), microseconds(one.to),
                           one.count, static_cast<double>(sum) / static_cast<double>(times.count()));
    }
}

} // namespace

std::string as_text(const report &of) {
    std::string text =
        fmt::format("{} for {:.3f} s{}\n", of.url, seconds(of.elapsed), of.interrupted ? ", interrupted" : "");
    if (of.load != nullptr) text += part_text(fmt::format("{} clients", of.clients), *of.load, of);
    if (of.probe != nullptr) text += part_text("probe", *of.probe, of);
    text +=
        fmt::format("{:<20}{:.0f} % of a CPU in the middle {:g} %{}\n", "this client", of.cpu_share * 100,
                    of.middle_percent, of.cpu_idle ? fmt::format(", which was idle {:.0f} %", *of.cpu_idle * 100) : "");
    if (of.client_bound)
        text += "CLIENT-BOUND: less than 15 % of the client's CPU was idle; the server may be faster than this\n";
    return text;
}

std::string as_json(const report &of) {
    const json whole{
        {"url", of.url},
        {"clients", of.clients},
        {"seconds", seconds(of.elapsed)},
        {"interrupted", of.interrupted},
        {"middle_percent", of.middle_percent},
        {"settings", of.settings},
        {"load", part_json(of.load, of)},
        {"probe", part_json(of.probe, of)},
        {"client", {{"cpu_share", of.cpu_share}, {"cpu_idle", of.cpu_idle ? json(*of.cpu_idle) : json(nullptr)}}},
        {"client_bound", of.client_bound}};
    return whole.dump(2) + "\n";
}

void write_histograms(const report &of, std::ostream &out) {
    out << "# which\tfrom_us\tto_us\tcount\tshare_up_to_here\n";
    for (const auto &[prefix, counts] : {std::pair{"", of.load}, std::pair{"probe_", of.probe}}) {
        if (counts == nullptr) continue;
        write_histogram(std::string(prefix) + "response", counts->response, out);
        write_histogram(std::string(prefix) + "first_byte", counts->first_byte, out);
        write_histogram(std::string(prefix) + "connect", counts->connect, out);
        write_histogram(std::string(prefix) + "lag", counts->lag, out);
    }
}

} // namespace replay
