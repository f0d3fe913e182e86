// See runner.hpp.
#include "runner.hpp"

#include "batch.hpp"
#include "common/failure.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <memory>
#include <random>
#include <utility>

namespace laio::bench {
namespace {

struct entrant {
    way which;
    std::unique_ptr<subject> measured;
    std::size_t operations;
};

// Takes the times of a round; prints nothing.
class collector : public benchmark::BenchmarkReporter {
public:
    bool ReportContext(const Context & /*context*/) override { return true; }
    void ReportRuns(const std::vector<Run> &runs) override {
        for (const Run &run : runs) nanoseconds[run.run_name.function_name] = run.GetAdjustedRealTime();
    }

    std::map<std::string, double> nanoseconds; // of a batch
};

bool is_slow(const bench_case &measured, way which) {
    if (needs_process(which) || which == way::thread_pool) return true;
    if (which == way::laio_activations) return measured.waits;
    if (which == way::laio_carriers) return measured.waits || measured.table == table::calls;
    return which == way::liburing && measured.key == "stat"; // which the kernel gives to a thread of its own
}

std::size_t operations_of(const bench_case &measured, way which, const run_settings &settings) {
    std::size_t operations = is_slow(measured, which) ? settings.iterations_slow : settings.iterations;
    if (measured.operations > 0) operations = measured.operations;
    return measured.operations_max > 0 ? std::min(operations, measured.operations_max) : operations;
}

void run(const entrant &running, benchmark::State &state) {
    const auto batch = needs_process(running.which) ? run_batch_in_child : run_batch;
    for (auto _ : state) state.SetIterationTime(batch(*running.measured, running.operations));
}

void run_round(const bench_case &measured, std::vector<entrant> &entrants, measured_case &result) {
    for (const entrant &each : entrants) {
        benchmark::RegisterBenchmark(name_of(each.which).key, [&each](benchmark::State &state) { run(each, state); })
            ->Iterations(1)
            ->UseManualTime();
    }
    collector round;
    benchmark::RunSpecifiedBenchmarks(&round);
    benchmark::ClearRegisteredBenchmarks();
    for (const entrant &each : entrants) {
        const auto found = round.nanoseconds.find(name_of(each.which).key);
        if (found == round.nanoseconds.end()) fail("{}/{} was not run", measured.key, name_of(each.which).key);
        result.nanoseconds[each.which].push_back(found->second / static_cast<double>(each.operations));
    }
}

} // namespace

measured_case measure(const bench_case &measured, const run_settings &settings) {
    measured_case result;
    result.key = measured.key;
    result.title = measured.title;
    result.table = measured.table;
    result.waits = measured.waits;
    result.skipped = measured.why_not();
    if (!result.skipped.empty()) return result;

    std::vector<entrant> entrants;
    for (const way each : measured.ways) {
        const std::string reason = why_not(each);
        if (reason.empty()) entrants.push_back({each, measured.make(each), operations_of(measured, each, settings)});
        else result.skipped_ways[each] = reason;
    }
    std::mt19937_64 random(settings.seed);
    const std::size_t rounds = measured.rare ? std::min(settings.rounds_rare, settings.rounds) : settings.rounds;
    for (std::size_t round = 0; round < rounds; ++round) {
        std::shuffle(entrants.begin(), entrants.end(), random);
        run_round(measured, entrants, result);
    }
    return result;
}

} // namespace laio::bench
