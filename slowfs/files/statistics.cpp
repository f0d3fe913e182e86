#include "statistics.hpp"

#include <nlohmann/json.hpp>

#include <sys/resource.h>

namespace slowfs {
namespace {

using json = nlohmann::ordered_json;

double in_seconds(nanoseconds time) { return std::chrono::duration<double>(time).count(); }

double divided(double sum, std::uint64_t by) { return by == 0 ? 0 : sum / static_cast<double>(by); }

json by_operation(const statistics &counted) {
    json all;
    for (std::size_t i = 0; i < operations; ++i) {
        const auto &one = counted.by_operation[i];
        all[std::string(operation_names[i])] = {{"requests", one.requests},
                                                {"errors", one.errors},
                                                {"bytes", one.bytes},
                                                {"mean_ms", divided(in_seconds(one.together) * 1e3, one.requests)},
                                                {"max_ms", in_seconds(one.longest) * 1e3}};
    }
    return all;
}

json of_depth(const depth &one, nanoseconds now) {
    const double integral_s = one.integral_s(now);
    return {{"mean", integral_s / std::max(in_seconds(now), 1e-9)},
            {"max", one.most()},
            {"now", one.now()},
            {"integral_s", integral_s}};
}

json of_disk(const disk_activity &activity, std::uint64_t span_bytes) {
    json busy_s = json::array();
    for (const auto &one : activity.busy) busy_s.push_back(in_seconds(one));
    const double seek_mean_bytes = divided(activity.seek_bytes, activity.seeks);
    return {{"accesses", activity.accesses},
            {"bytes", activity.bytes},
            {"busy_s", busy_s},
            {"seeks", activity.seeks},
            {"seek_mean_bytes", seek_mean_bytes},
            {"seek_mean_share", divided(seek_mean_bytes, span_bytes)},
            {"seeking_s", in_seconds(activity.seeking)},
            {"rotating_s", in_seconds(activity.rotating)},
            {"ahead_hits", activity.ahead_hits}};
}

json of_processor() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval &time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return {
        {"user_s", seconds(used.ru_utime)}, {"system_s", seconds(used.ru_stime)}, {"resident_max_kb", used.ru_maxrss}};
}

} // namespace

std::string report(const report_context &about, const statistics &counted, const timetable &waiting, const disk &below,
                   const disk_clock &clock) {
    const auto now = clock.now();
    json all;
    all["number"] = about.number;
    all["model"] = about.model;
    all["speed"] = clock.speed();
    all["nodes"] = about.nodes;
    all["files_bytes"] = about.files_bytes;
    all["span_bytes"] = about.span_bytes;
    all["elapsed_s"] = in_seconds(now);
    all["elapsed_real_s"] = clock.real_s(now);
    all["operations"] = by_operation(counted);
    all["outstanding"] = of_depth(waiting.requests(), now);
    all["disk"] = of_disk(below.activity(now), about.span_bytes);
    all["disk"]["queue"] = of_depth(waiting.accesses(), now);
    all["late"] = {{"mean_us", divided(counted.late.together_s * 1e6, counted.late.answers)},
                   {"max_us", counted.late.longest_s * 1e6}};
    all["process"] = of_processor();
    return all.dump(2) + "\n";
}

} // namespace slowfs
