// Calls that block, and calls that do not. See sections.hpp.
#include "blocking_call.hpp"
#include "busy_task.hpp"
#include "common/activation_presence.hpp"
#include "common/child.hpp"
#include "common/statistics.hpp"
#include "control_group.hpp"
#include "sections.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <memory>
#include <utility>

namespace laio::bench {
namespace {

constexpr std::size_t warm_up = 20;
constexpr std::size_t calls_before = 16; // that do not block, so that the watchers are awake
constexpr double pause_ns = 30e6;        // longer than any watcher stays awake

enum class company { none, busy, busy_in_another_group };

struct situation {
    const char *key;
    const char *title;
    bool is_pinned;
    company beside;
    bool rests_before; // the program sleeps before each call
    double median_us;  // the goals; 0: none
    double p99_us;
};

constexpr std::array situations{
    situation{"pinned", "the loop pinned to a CPU", true, company::none, false, 20, 0},
    situation{"free", "free to move", false, company::none, false, 60, 0},
    situation{"busy", "pinned, a busy task on the same CPU", true, company::busy, false, 3000, 8000},
    situation{"busy_other_group", "the same, the task in another control group", true, company::busy_in_another_group,
              false, 15, 0},
    situation{"pinned_rested", "pinned, the first call after a sleep of 30 ms", true, company::none, true, 0, 0},
    situation{"free_rested", "free to move, the first call after such a sleep", false, company::none, true, 0, 0},
};

nlohmann::ordered_json counted(const struct laio_stats &before) {
    const struct laio_stats now = stats_now();
    return {{"claims", now.claims - before.claims},
            {"by_sentinel", now.claims_by_sentinel - before.claims_by_sentinel},
            {"by_watchdog", now.claims_by_watchdog - before.claims_by_watchdog},
            {"spurious", now.claims_spurious - before.claims_spurious},
            {"trips_home", now.trips_home - before.trips_home}};
}

void make_ready_calls(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
        if (empty_activation() != 0) fail("a call that cannot block gave {}", error_text(errno));
}

double one_call(blocking_call &blocking, bool rests_before) {
    if (rests_before) sleep_until_ns(wall_ns() + pause_ns);
    else make_ready_calls(calls_before);
    const double nanoseconds = blocking.begin();
    blocking.end();
    return nanoseconds;
}

nlohmann::ordered_json measure_calls(const situation &where, std::size_t calls) {
    if (const std::string why = why_no_activations(); !why.empty()) return {{"skipped", why}};
    blocking_call blocking;
    for (std::size_t i = 0; i < std::min(calls, warm_up); ++i) one_call(blocking, false);
    const struct laio_stats before = stats_now();
    std::vector<double> microseconds(calls);
    for (double &each : microseconds) each = one_call(blocking, where.rests_before) / 1e3;
    const nlohmann::ordered_json counts = counted(before);
    must(laio_fini(), "laio_fini");
    if (counts.at("claims").get<std::size_t>() < calls)
        fail("a splice that blocked was no activation: {}", counts.dump());
    const spread summed = summarise(microseconds);
    return {{"calls", calls},
            {"median_us", summed.median},
            {"p10_us", summed.p10},
            {"p90_us", summed.p90},
            {"p99_us", percentile(microseconds, 0.99)},
            {"max_us", percentile(microseconds, 1)},
            {"counts", counts}};
}

nlohmann::ordered_json measure_situation(const situation &where, const sizes &chosen, const affinity &cpus, int cpu) {
    const bool grouped = where.beside == company::busy_in_another_group;
    if (grouped)
        if (const std::string why = control_group::why_none(); !why.empty()) return {{"skipped", why}};
    // The loop in a group of its own too: else its threads, and not their group, compete with the task's group.
    const auto loop_group = grouped ? std::make_unique<control_group>("loop") : nullptr;
    const auto task_group = grouped ? std::make_unique<control_group>("task") : nullptr;
    std::unique_ptr<busy_task> task;
    if (where.beside != company::none) task = std::make_unique<busy_task>(cpus, cpu, task_group.get());
    const std::size_t calls = where.rests_before              ? chosen.calls_rested
                              : where.beside == company::busy ? chosen.calls_slow
                                                              : chosen.calls;
    return in_child(where.title, [&] {
        if (loop_group) loop_group->enter();
        if (where.is_pinned) cpus.pin(cpu);
        return measure_calls(where, calls);
    });
}

void print_blocked(const situation &where, const nlohmann::ordered_json &row) {
    if (row.contains("skipped"))
        return fmt::print("{:50} SKIPPED: {}\n", where.title, row.at("skipped").get<std::string>());
    const auto figure = [&](const char *key) { return row.at(key).get<double>(); };
    const auto count = [&](const char *key) { return row.at("counts").at(key).get<std::uint64_t>(); };
    fmt::print("{:50} {:>6} {:>9.1f} {:>9.1f} {:>9.1f} {:>9.1f} {:>9.1f} {:>9} {:>9} {:>9}\n", where.title,
               row.at("calls").get<std::size_t>(), figure("median_us"), figure("p10_us"), figure("p90_us"),
               figure("p99_us"), figure("max_us"), count("by_sentinel"), count("by_watchdog"), count("spurious"));
}

// Calls that cannot block, of two lengths. Every one that is left behind is an error of the library's.
nlohmann::ordered_json measure_ready_calls(std::size_t calls) {
    if (const std::string why = why_no_activations(); !why.empty()) return {{"skipped", why}};
    const struct laio_stats before = stats_now();
    std::size_t left_behind = 0;
    struct stat status;
    const auto check = [&](long result) {
        if (result == 0) return;
        if (result != -1 || errno != EINPROGRESS)
            fail("a call that does not block gave {}: {}", result, error_text(errno));
        ++left_behind;
        laio_completion completion;
        while (laio_poll(&completion, 1, nullptr) < 0 && errno == EINTR) {}
    };
    for (std::size_t i = 0; i < calls; i += 2) {
        check(empty_activation());
        check(laio_syscall(SYS_newfstatat, AT_FDCWD, "/", &status, 0));
    }
    nlohmann::ordered_json row = {{"calls", calls}, {"left_behind", left_behind}, {"counts", counted(before)}};
    row["wrong"] = left_behind + row.at("counts").at("spurious").get<std::size_t>();
    must(laio_fini(), "laio_fini");
    return row;
}

} // namespace

section measure_blocked(const sizes &chosen, const affinity &cpus, int cpu) {
    section result;
    fmt::print("\nA call that blocks: from the entry of laio_syscall() to EINPROGRESS, in microseconds\n{:50} {:>6} "
               "{:>9} {:>9} "
               "{:>9} {:>9} {:>9} {:>9} {:>9} {:>9}\n",
               "", "calls", "median", "10 %", "90 %", "99 %", "longest", "sentinel", "watchdog", "spurious");
    for (const situation &each : situations) {
        nlohmann::ordered_json row = {{"situation", each.key}};
        row.update(measure_situation(each, chosen, cpus, cpu));
        print_blocked(each, row);
        std::fflush(stdout);
        const std::string text = std::string("a call that blocks, ") + each.title;
        if (each.median_us > 0)
            result.goals.push_back(goal_of(text + ": median", "us", each.median_us, row, "median_us"));
        if (each.p99_us > 0) result.goals.push_back(goal_of(text + ": 99 %", "us", each.p99_us, row, "p99_us"));
        result.rows.push_back(std::move(row));
    }
    return result;
}

section measure_ready(const sizes &chosen, const affinity &cpus, int cpu) {
    section result;
    fmt::print("\nCalls that do not block, one half msync of nothing, the other stat of a cached name\n{:50} {:>8} "
               "{:>12} {:>9}\n",
               "", "calls", "left behind", "spurious");
    for (const auto &[key, title, is_pinned, is_busy] :
         {std::tuple("pinned", "the loop pinned to a CPU", true, false),
          std::tuple("free", "free to move", false, false),
          std::tuple("busy", "pinned, a busy task on the same CPU", true, true)}) {
        nlohmann::ordered_json row = {{"situation", key}};
        std::unique_ptr<busy_task> task;
        if (is_busy) task = std::make_unique<busy_task>(cpus, cpu, nullptr);
        row.update(in_child(title, [&, is_pinned = is_pinned] {
            if (is_pinned) cpus.pin(cpu);
            return measure_ready_calls(chosen.calls_ready);
        }));
        if (row.contains("skipped")) fmt::print("{:50} SKIPPED: {}\n", title, row.at("skipped").get<std::string>());
        else
            fmt::print("{:50} {:>8} {:>12} {:>9}\n", title, chosen.calls_ready,
                       row.at("left_behind").get<std::size_t>(), row.at("counts").at("spurious").get<std::size_t>());
        result.is_promise_broken |= row.value("left_behind", 0) != 0;
        result.goals.push_back(goal_of(std::string("calls wrongly taken to block, ") + title, "", 0, row, "wrong"));
        result.rows.push_back(std::move(row));
    }
    return result;
}

} // namespace laio::bench
