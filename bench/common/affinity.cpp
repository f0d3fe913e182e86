// See affinity.hpp.
#include "affinity.hpp"

#include "failure.hpp"

#include <cerrno>
#include <charconv>
#include <filesystem>

namespace laio::bench {
namespace {

void set_all_threads(const cpu_set_t &set) {
    for (const auto &entry : std::filesystem::directory_iterator("/proc/self/task")) {
        const std::string name = entry.path().filename().string();
        pid_t thread = 0;
        std::from_chars(name.data(), name.data() + name.size(), thread);
        // ESRCH: an idle thread ended between the listing and now.
        if (sched_setaffinity(thread, sizeof set, &set) != 0 && errno != ESRCH)
            fail("sched_setaffinity: {}", error_text(errno));
    }
}

} // namespace

affinity::affinity() { must(sched_getaffinity(0, sizeof allowed_, &allowed_), "sched_getaffinity"); }

int affinity::highest_cpu() const {
    int cpu = CPU_SETSIZE - 1;
    while (cpu > 0 && !allows(cpu)) --cpu;
    return cpu;
}

int affinity::count() const { return CPU_COUNT(&allowed_); }

bool affinity::allows(int cpu) const {
    return cpu >= 0 && cpu < CPU_SETSIZE && CPU_ISSET(static_cast<unsigned>(cpu), &allowed_);
}

void affinity::pin(int cpu) const {
    if (!allows(cpu)) fail("CPU {} is not among those this process may use", cpu);
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<unsigned>(cpu), &set);
    set_all_threads(set);
}

void affinity::release() const { set_all_threads(allowed_); }

} // namespace laio::bench
