// What io_uring is to laio here: usable or why not, how it was set up, which requests of ours the kernel knows. All of
// it is the ring engine's own answer: a ring is opened as a loop opens it, and closed again, in a child process.
#pragma once

#include "verdict.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace probe {

struct uring {
    verdict is;
    std::optional<int> sysctl;            // kernel.io_uring_disabled, where it can be read
    std::vector<std::string> setup;       // set-up flags in use, without IORING_SETUP_
    std::vector<std::string> requests;    // of those that laio uses
    std::vector<std::string> unsupported; // likewise
};

uring examine_uring(std::uint32_t forbid);

} // namespace probe
