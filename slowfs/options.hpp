// The command line. docs/man/laio-slowfs.1 is the contract.
#pragma once

#include "cost.hpp"
#include "disk/model.hpp"
#include "files/file_system.hpp"
#include "files/session.hpp"

#include <string>

namespace slowfs {

struct options {
    std::string folder; // or
    std::string list;   // which one is empty
    model_parameters model;
    std::uint64_t span_bytes = 0; // 0: as much as there is
    cost_table costs;
    double speed = 1;
    kernel_options kernel;
    mount_options mount;
    std::string statistics; // a file, "-" or empty
    bool in_background = false;
};

// Nothing is to be done: the exit code. It has said why.
struct nothing_to_do {
    int exit_code;
};

// Throws nothing_to_do.
options parse_options(int argc, char **argv);

} // namespace slowfs
