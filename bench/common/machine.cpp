// See machine.hpp.
#include "machine.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>

#include <fmt/chrono.h>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <ctime>
#include <fstream>
#include <sstream>
#include <thread>

namespace laio::bench {
namespace {

// The value of the first "key : value" line of a file of such lines.
std::string field(const char *path, const std::string &key) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        const std::size_t colon = line.find(':');
        if (!line.starts_with(key) || colon == std::string::npos) continue;
        const std::size_t begin = line.find_first_not_of(" \t", colon + 1);
        return begin == std::string::npos ? "" : line.substr(begin);
    }
    return "";
}

std::string or_unknown(const std::string &text) { return text.empty() ? "unknown" : text; }

std::string kernel_name() {
    utsname names{};
    if (uname(&names) != 0) return "unknown";
    return fmt::format("{} {} {}", names.sysname, names.release, names.machine);
}

// /proc/self/mountinfo: "36 35 98:0 /root /mount options - type source super". Overlays and the like have device
// numbers that stat(2) shows and mountinfo too, so that the match is by number; btrfs is the exception: unknown.
std::string file_system_of(const std::string &directory) {
    struct stat status {};
    if (stat(directory.c_str(), &status) != 0) return "unknown";
    const std::string wanted = fmt::format("{}:{}", major(status.st_dev), minor(status.st_dev));
    std::ifstream mounts("/proc/self/mountinfo");
    for (std::string line; std::getline(mounts, line);) {
        std::istringstream words(line);
        std::string id;
        std::string parent;
        std::string device;
        words >> id >> parent >> device;
        const std::size_t dash = line.find(" - ");
        if (device != wanted || dash == std::string::npos) continue;
        std::istringstream tail(line.substr(dash + 3));
        std::string type;
        std::string source;
        tail >> type >> source;
        return fmt::format("{} on {}", type, source);
    }
    return "unknown";
}

std::string compiler_name() {
#if defined(__clang__)
    return "clang " __VERSION__;
#else
    return "gcc " __VERSION__;
#endif
}

std::string build_kind() {
#ifdef __OPTIMIZE__
    std::string kind = "optimised";
#else
    std::string kind = "NOT OPTIMISED: do not quote these figures";
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    kind += ", SANITIZERS: do not quote these figures";
#endif
    return kind;
}

std::string first_words(const char *path, int count) {
    std::ifstream file(path);
    std::string result;
    std::string word;
    for (int i = 0; i < count && file >> word; ++i) result += (i == 0 ? "" : " ") + word;
    return result;
}

} // namespace

machine describe_machine(const std::string &directory, const std::string &commit) {
    const bool hypervisor = (field("/proc/cpuinfo", "flags") + " ").find(" hypervisor ") != std::string::npos;
    return {
        .cpu = or_unknown(field("/proc/cpuinfo", "model name")),
        .cpus = static_cast<int>(std::thread::hardware_concurrency()),
        .hypervisor = hypervisor ? "virtual machine" : "no hypervisor seen",
        .kernel = kernel_name(),
        .memory = or_unknown(field("/proc/meminfo", "MemTotal")),
        .directory = directory,
        .file_system = file_system_of(directory),
        .compiler = compiler_name(),
        .build = build_kind(),
        .commit = or_unknown(commit),
        .date_utc = fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::gmtime(std::time(nullptr))),
        .load = or_unknown(first_words("/proc/loadavg", 3)),
    };
}

void print_machine(const machine &described) {
    fmt::print("machine   {}, {} CPUs, {}, {}\n", described.cpu, described.cpus, described.hypervisor,
               described.memory);
    fmt::print("kernel    {}\n", described.kernel);
    fmt::print("files     {} ({})\n", described.directory, described.file_system);
    fmt::print("build     {}, {}, commit {}\n", described.compiler, described.build, described.commit);
    fmt::print("date      {} UTC, load before the run {}\n", described.date_utc, described.load);
}

nlohmann::ordered_json to_json(const machine &described) {
    return {{"cpu", described.cpu},
            {"cpus", described.cpus},
            {"hypervisor", described.hypervisor},
            {"kernel", described.kernel},
            {"memory", described.memory},
            {"directory", described.directory},
            {"file_system", described.file_system},
            {"compiler", described.compiler},
            {"build", described.build},
            {"commit", described.commit},
            {"date_utc", described.date_utc},
            {"load", described.load}};
}

} // namespace laio::bench
