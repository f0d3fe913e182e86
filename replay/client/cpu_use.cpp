#include "client/cpu_use.hpp"

#include <sched.h>
#include <time.h>

#include <cerrno>
#include <fstream>
#include <string>
#include <system_error>

namespace replay {

namespace {

constexpr double ticks_least = 20; // of ten milliseconds: fewer say nothing

int only_cpu() {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0 || CPU_COUNT(&set) != 1) return -1;
    int cpu = 0;
    while (!CPU_ISSET(static_cast<std::size_t>(cpu), &set)) ++cpu;
    return cpu;
}

} // namespace

cpu_use::cpu_use()
    : cpu_(only_cpu()), began_(std::chrono::steady_clock::now()), own_(thread_time()), ticks_(cpu_time()) {}

std::chrono::nanoseconds cpu_use::thread_time() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// user nice system idle iowait irq softirq steal ...
std::optional<cpu_use::ticks> cpu_use::cpu_time() const {
    if (cpu_ < 0) return {};
    std::ifstream stat("/proc/stat");
    const auto wanted = "cpu" + std::to_string(cpu_);
    for (std::string name, rest; stat >> name; std::getline(stat, rest)) {
        if (name != wanted) continue;
        ticks sum;
        double value = 0;
        for (int field = 0; field < 8 && stat >> value; ++field) {
            sum.all += value;
            if (field == 3 || field == 4) sum.idle += value;
        }
        return sum;
    }
    return {};
}

cpu_share cpu_use::so_far() const {
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - began_;
    const std::chrono::duration<double> own = thread_time() - own_;
    cpu_share share{.own = wall.count() > 0 ? own / wall : 0};
    const auto now = cpu_time();
    if (now && ticks_ && now->all - ticks_->all >= ticks_least)
        share.cpu_idle = (now->idle - ticks_->idle) / (now->all - ticks_->all);
    return share;
}

void pin_to(unsigned cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        throw std::system_error(errno, std::generic_category(), "cannot run on CPU " + std::to_string(cpu));
}

} // namespace replay
