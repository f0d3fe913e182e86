#include "client/cpu_use.hpp"

#include <sched.h>
#include <time.h>

#include <cerrno>
#include <fstream>
#include <string>
#include <system_error>

namespace replay {

namespace {

int only_cpu() {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0 || CPU_COUNT(&set) != 1) return -1;
    int cpu = 0;
    while (!CPU_ISSET(static_cast<std::size_t>(cpu), &set)) ++cpu;
    return cpu;
}

std::chrono::nanoseconds thread_time() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

} // namespace

cpu_use::cpu_use() : cpu_(only_cpu()), began_(std::chrono::steady_clock::now()) { look(); }

void cpu_use::look() {
    seen_.add({.at = std::chrono::steady_clock::now() - began_, .own = thread_time(), .cpu = cpu_time()});
}

std::chrono::steady_clock::time_point cpu_use::next_look() const { return began_ + seen_.next(); }

// user nice system idle iowait irq softirq steal ...
std::optional<cpu_ticks> cpu_use::cpu_time() const {
    if (cpu_ < 0) return {};
    std::ifstream stat("/proc/stat");
    const auto wanted = "cpu" + std::to_string(cpu_);
    for (std::string name, rest; stat >> name; std::getline(stat, rest)) {
        if (name != wanted) continue;
        cpu_ticks sum;
        double value = 0;
        for (int field = 0; field < 8 && stat >> value; ++field) {
            sum.all += value;
            if (field == 3 || field == 4) sum.idle += value;
        }
        return sum;
    }
    return {};
}

void pin_to(unsigned cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        throw std::system_error(errno, std::generic_category(), "cannot run on CPU " + std::to_string(cpu));
}

} // namespace replay
