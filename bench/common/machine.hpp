// What has to stand above a table of measurements so that a reader can judge it: the machine, the kernel, the disk, the
// compiler, the date. Read from /proc and uname(2) only; what cannot be read is "unknown".
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace laio::bench {

struct machine {
    std::string cpu;
    int cpus = 0;
    std::string hypervisor; // whether one was seen
    std::string kernel;
    std::string memory;
    std::string directory;
    std::string file_system; // type and device of the directory where files are read
    std::string compiler;
    std::string build; // optimised or not, sanitizers
    std::string commit;
    std::string date_utc;
    std::string load; // when the run began
};

machine describe_machine(const std::string &directory, const std::string &commit);
void print_machine(const machine &described);
nlohmann::ordered_json to_json(const machine &described);

} // namespace laio::bench
