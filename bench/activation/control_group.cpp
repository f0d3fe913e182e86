// See control_group.hpp.
#include "control_group.hpp"

#include "common/failure.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace laio::bench {
namespace {

constexpr long period_us = 100'000; // the kernel's default

struct place {
    std::string folder; // where groups are made
    bool is_version_2 = false;
    std::string why_not;
};

bool has_word(std::string list, const std::string &word) {
    for (char &each : list)
        if (each == ',') each = ' ';
    std::istringstream words(list);
    for (std::string each; words >> each;)
        if (each == word) return true;
    return false;
}

std::string whole_line(const std::string &path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

// Our own group: of version 1's controller `cpu`, or of version 2. "9:name=systemd:/", "1:cpu,cpuacct:/", "0::/a/b".
std::string own_group(bool is_version_2) {
    std::ifstream file("/proc/self/cgroup");
    for (std::string line; std::getline(file, line);) {
        const std::size_t first = line.find(':');
        const std::size_t second = line.find(':', first + 1);
        if (second == std::string::npos) continue;
        const std::string controllers = line.substr(first + 1, second - first - 1);
        if (is_version_2 ? controllers.empty() : has_word(controllers, "cpu")) return line.substr(second + 1);
    }
    return "";
}

// "36 35 98:0 /root /mount options - type source super": the mount point of version 1's `cpu`, or of version 2.
std::string mount_point(bool is_version_2) {
    std::ifstream mounts("/proc/self/mountinfo");
    for (std::string line; std::getline(mounts, line);) {
        std::istringstream words(line);
        std::string skipped;
        std::string point;
        words >> skipped >> skipped >> skipped >> skipped >> point;
        const std::size_t dash = line.find(" - ");
        if (dash == std::string::npos) continue;
        std::istringstream tail(line.substr(dash + 3));
        std::string type;
        std::string source;
        std::string super;
        tail >> type >> source >> super;
        if (is_version_2 ? type == "cgroup2" : type == "cgroup" && has_word(super, "cpu")) return point;
    }
    return "";
}

place find_place() {
    if (const std::string point = mount_point(false); !point.empty())
        return {point + own_group(false), false, ""}; // version 1 has groups within groups with processes
    const std::string point = mount_point(true);
    if (point.empty()) return {"", false, "no control groups are mounted"};
    // Version 2 has not: the new groups are siblings of ours, or children of the root.
    const std::string own = own_group(true);
    const std::string folder = point + own.substr(0, own.rfind('/') == 0 ? 0 : own.rfind('/'));
    if (!has_word(whole_line(folder + "/cgroup.subtree_control"), "cpu"))
        return {"", true, folder + "/cgroup.subtree_control does not hand down cpu"};
    return {folder, true, ""};
}

void write_to(const std::string &path, const std::string &text) {
    std::ofstream file(path);
    file << text << '\n';
    if (!file.flush()) throw std::runtime_error(fmt::format("{} cannot be written", path));
}

std::string folder_of(const place &where, const std::string &name) {
    return fmt::format("{}/laio-bench-{}-{}", where.folder, ::getpid(), name);
}

} // namespace

std::string control_group::why_none() {
    const place where = find_place();
    if (!where.why_not.empty()) return where.why_not;
    const std::string folder = folder_of(where, "probe");
    if (::mkdir(folder.c_str(), 0755) != 0)
        return fmt::format("no control group can be made in {}: {}", where.folder, error_text(errno));
    const bool has_quota =
        ::access((folder + (where.is_version_2 ? "/cpu.max" : "/cpu.cfs_quota_us")).c_str(), W_OK) == 0;
    ::rmdir(folder.c_str());
    return has_quota ? "" : fmt::format("the control groups in {} have no quota", where.folder);
}

control_group::control_group(const std::string &name) {
    const place where = find_place();
    folder_ = folder_of(where, name);
    is_version_2_ = where.is_version_2;
    if (::mkdir(folder_.c_str(), 0755) != 0)
        throw std::runtime_error(fmt::format("mkdir {}: {}", folder_, error_text(errno)));
}

control_group::~control_group() { ::rmdir(folder_.c_str()); }

void control_group::enter() const { write_to(folder_ + "/cgroup.procs", "0"); }

void control_group::set_quota(double share_of_cpu) const {
    const long quota_us = std::lround(share_of_cpu * static_cast<double>(period_us));
    if (is_version_2_) return write_to(folder_ + "/cpu.max", fmt::format("{} {}", quota_us, period_us));
    write_to(folder_ + "/cpu.cfs_period_us", std::to_string(period_us));
    write_to(folder_ + "/cpu.cfs_quota_us", std::to_string(quota_us));
}

throttling control_group::throttled() const {
    throttling result;
    std::ifstream file(folder_ + "/cpu.stat");
    std::string name;
    for (double value = 0; file >> name >> value;) {
        if (name == "nr_throttled") result.times = value;
        else if (name == "throttled_usec") result.milliseconds = value / 1e3;
        else if (name == "throttled_time") result.milliseconds = value / 1e6;
    }
    return result;
}

} // namespace laio::bench
