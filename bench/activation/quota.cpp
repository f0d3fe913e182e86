// A loop with a quota of CPU time. See sections.hpp. Every millisecond it makes a few calls and computes, which takes
// about three quarters of its quota without the library: how often the kernel stops it tells what the library adds. It
// computes for a time and not for a number of steps, because a processor is not equally fast all the time. The ways
// take turns.
#include "common/activation_presence.hpp"
#include "common/child.hpp"
#include "common/statistics.hpp"
#include "control_group.hpp"
#include "sections.hpp"
#include "threads.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <utility>
#include <vector>

namespace laio::bench {
namespace {

constexpr double quota = 0.2; // of a CPU
constexpr double period_ns = 1e6;
constexpr double compute_ns = 0.7 * quota * period_ns; // the calls and the waiting take about as much as is missing
constexpr int stats_in_a_turn = 10;

struct loop_kind {
    const char *key;
    const char *title;
    bool uses_library;
    std::uint32_t forbid;
};

constexpr std::array kinds{
    loop_kind{"plain", "ppoll(2) and stat(2)", false, 0},
    loop_kind{"laio", "LAIO", true, 0},
    loop_kind{"laio-no-activations", "LAIO, LAIO_FORBID_ACTIVATIONS", true, LAIO_FORBID_ACTIVATIONS},
};

// By the thread's own clock. No call of the library comes between, so the thread stays the same.
void compute() {
    const double end = thread_cpu_ns() + compute_ns;
    for (volatile unsigned i = 0; thread_cpu_ns() < end;)
        for (int step = 0; step < 100; ++step) i = i + 1;
}

// A stat(2) through the library is waited for where it says EINPROGRESS.
void look_up(bool uses_library) {
    struct stat status;
    long result = uses_library ? laio_syscall(SYS_newfstatat, AT_FDCWD, "/", &status, 0)
                               : ::syscall(SYS_newfstatat, AT_FDCWD, "/", &status, 0);
    if (uses_library && result == -1 && errno == EINPROGRESS) {
        laio_completion completion;
        while (laio_poll(&completion, 1, nullptr) < 0 && errno == EINTR) {}
        result = completion.laio_return_value;
    }
    if (result != 0) fail("stat: {}", error_text(errno));
}

void work(bool uses_library) {
    for (int i = 0; i < stats_in_a_turn; ++i) look_up(uses_library);
    compute();
}

void wait_until(bool uses_library, double wall) {
    const double left = wall - wall_ns();
    if (left <= 0) return;
    const timespec limit{.tv_sec = 0, .tv_nsec = static_cast<long>(left)};
    laio_completion completion;
    if (uses_library ? laio_poll(&completion, 1, &limit) > 0 : ::ppoll(nullptr, 0, &limit, nullptr) > 0)
        fail("an event of nothing");
}

// Turns that the quota made late are not made up for: the load is one turn for each period.
nlohmann::ordered_json run_loop(const loop_kind &kind, double seconds, const control_group &group) {
    if (kind.uses_library) {
        laio_options options{};
        options.size = sizeof options;
        options.forbid = kind.forbid;
        must(laio_init(&options), "laio_init");
        const std::string why = why_no_activations();
        if (kind.forbid == 0 && !why.empty()) return {{"skipped", why}};
    }
    work(kind.uses_library);
    const throttling before = group.throttled();
    const double cpu_before = process_cpu_ns();
    const double begin = wall_ns();
    std::uint64_t turns = 0;
    for (double next = begin; next < begin + 1e9 * seconds;
         next = begin + period_ns * std::ceil((wall_ns() - begin) / period_ns)) {
        wait_until(kind.uses_library, next);
        work(kind.uses_library);
        ++turns;
    }
    const double took = wall_ns() - begin;
    const throttling after = group.throttled();
    return {{"turns_per_s", 1e9 * static_cast<double>(turns) / took},
            {"cpu_percent", 100 * (process_cpu_ns() - cpu_before) / took},
            {"throttled_per_s", 1e9 * (after.times - before.times) / took},
            {"throttled_ms_per_s", 1e9 * (after.milliseconds - before.milliseconds) / took}};
}

nlohmann::ordered_json measure_once(const loop_kind &kind, double seconds, const affinity &cpus, int cpu) {
    const control_group group("quota"); // a new one each time, so that no run pays for the one before
    group.set_quota(quota);
    return in_child(kind.title, [&] {
        group.enter();
        cpus.pin(cpu);
        return run_loop(kind, seconds, group);
    });
}

nlohmann::ordered_json summed(const std::vector<nlohmann::ordered_json> &runs) {
    nlohmann::ordered_json row = {{"runs", runs.size()}};
    for (const char *key : {"turns_per_s", "cpu_percent", "throttled_per_s", "throttled_ms_per_s"}) {
        std::vector<double> values;
        for (const auto &each : runs) {
            if (each.contains("skipped")) return each;
            values.push_back(each.at(key).get<double>());
        }
        const spread found = summarise(values);
        row[key] = {{"median", found.median}, {"p10", found.p10}, {"p90", found.p90}};
    }
    return row;
}

void print_kind(const loop_kind &kind, const nlohmann::ordered_json &row) {
    if (row.contains("skipped"))
        return fmt::print("{:50} SKIPPED: {}\n", kind.title, row.at("skipped").get<std::string>());
    fmt::print("{:50} {:>4}", kind.title, row.at("runs").get<std::size_t>());
    for (const char *key : {"turns_per_s", "cpu_percent", "throttled_per_s", "throttled_ms_per_s"}) {
        const auto &figure = row.at(key);
        fmt::print(" {:>22}", fmt::format("{:.1f} ({:.1f}-{:.1f})", figure.at("median").get<double>(),
                                          figure.at("p10").get<double>(), figure.at("p90").get<double>()));
    }
    fmt::print("\n");
}

} // namespace

section measure_quota(const sizes &chosen, const affinity &cpus, int cpu) {
    section result;
    fmt::print(
        "\nA loop that computes {:.0f} us each millisecond and makes {} stat(2), on {:.0f} % of a CPU: medians (10 to "
        "90 %)\n{:50} "
        "{:>4} {:>22} {:>22} {:>22} {:>22}\n",
        compute_ns / 1e3, stats_in_a_turn, 100 * quota, "", "runs", "turns each second", "% of a CPU",
        "stopped, times each s", "stopped, ms each s");
    const std::string why = control_group::why_none();
    std::vector<std::vector<nlohmann::ordered_json>> runs(kinds.size(), {{{"skipped", why}}});
    if (why.empty()) {
        runs.assign(kinds.size(), {});
        for (std::size_t run = 0; run < chosen.quota_runs; ++run)
            for (std::size_t i = 0; i < kinds.size(); ++i)
                runs[i].push_back(measure_once(kinds.at(i), chosen.quota_s, cpus, cpu));
    }
    for (std::size_t i = 0; i < kinds.size(); ++i) {
        nlohmann::ordered_json row = {{"loop", kinds.at(i).key}};
        row.update(summed(runs[i]));
        print_kind(kinds.at(i), row);
        result.rows.push_back(std::move(row));
    }
    goal made{"a quota of 20 %: times stopped each second, no more with LAIO than plain", "", 0, std::nullopt, ""};
    const auto &plain = result.rows.at(0);
    const auto &laio = result.rows.at(1);
    if (laio.contains("skipped")) made.skipped = laio.at("skipped").get<std::string>();
    else {
        made.at_most = plain.at("throttled_per_s").at("median").get<double>();
        made.measured = laio.at("throttled_per_s").at("median").get<double>();
    }
    result.goals.push_back(std::move(made));
    return result;
}

} // namespace laio::bench
