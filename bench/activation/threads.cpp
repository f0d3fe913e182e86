// See threads.hpp.
#include "threads.hpp"

#include "common/failure.hpp"

#include <unistd.h>

#include <cmath>
#include <ctime>
#include <filesystem>
#include <fstream>

namespace laio::bench {
namespace {

double clock_ns(clockid_t which) {
    timespec now{};
    must(::clock_gettime(which, &now), "clock_gettime");
    return 1e9 * static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec);
}

} // namespace

thread_times library_threads_now() {
    thread_times result;
    const std::string own = std::to_string(::gettid());
    const std::string first = std::to_string(::getpid()); // whose name may begin so as well
    for (const auto &entry : std::filesystem::directory_iterator("/proc/self/task")) {
        if (entry.path().filename() == own || entry.path().filename() == first) continue;
        std::ifstream named(entry.path() / "comm");
        std::ifstream counted(entry.path() / "schedstat");
        std::string name;
        double nanoseconds = 0;
        if (std::getline(named, name) && name.starts_with("laio-") && counted >> nanoseconds)
            result[name] += nanoseconds;
    }
    return result;
}

thread_times spent(const thread_times &before, const thread_times &after) {
    thread_times result;
    for (const auto &[name, nanoseconds] : after) {
        const auto found = before.find(name);
        result[name] = nanoseconds - (found == before.end() ? 0 : found->second);
    }
    return result;
}

double sum(const thread_times &times) {
    double result = 0;
    for (const auto &each : times) result += each.second;
    return result;
}

double thread_cpu_ns() { return clock_ns(CLOCK_THREAD_CPUTIME_ID); }
double process_cpu_ns() { return clock_ns(CLOCK_PROCESS_CPUTIME_ID); }
double wall_ns() { return clock_ns(CLOCK_MONOTONIC); }

void sleep_until_ns(double wall) {
    const double seconds = std::floor(wall / 1e9);
    const timespec until{.tv_sec = static_cast<time_t>(seconds), .tv_nsec = static_cast<long>(wall - 1e9 * seconds)};
    while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {}
}

} // namespace laio::bench
