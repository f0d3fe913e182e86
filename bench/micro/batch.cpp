// See batch.hpp.
#include "batch.hpp"

#include "common/failure.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace laio::bench {
namespace {

constexpr std::size_t warm_up = 100;

} // namespace

double run_batch(subject &measured, std::size_t operations) {
    using clock = std::chrono::steady_clock;
    measured.open();
    const std::size_t warm = std::min(warm_up, (operations + 3) / 4);
    measured.prepare(warm);
    measured.run(warm);
    measured.prepare(operations);
    const clock::time_point begin = clock::now();
    measured.run(operations);
    const std::chrono::duration<double> took = clock::now() - begin;
    measured.close();
    return took.count();
}

double run_batch_in_child(subject &measured, std::size_t operations) {
    std::array<int, 2> ends{};
    must(pipe(ends.data()), "pipe");
    const pid_t child = must(fork(), "fork");
    if (child == 0) {
        const double seconds = run_batch(measured, operations);
        _exit(write(ends[1], &seconds, sizeof seconds) == sizeof seconds ? 0 : 1);
    }
    close(ends[1]);
    double seconds = 0;
    const bool told = read(ends[0], &seconds, sizeof seconds) == sizeof seconds;
    close(ends[0]);
    int status = 0;
    must(waitpid(child, &status, 0), "waitpid");
    if (!told || status != 0) fail("a batch failed in its process"); // which said why
    return seconds;
}

} // namespace laio::bench
