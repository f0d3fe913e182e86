// What this machine offers to laio: the kernel, the features, the engines that a loop has here. Asked the way the
// library asks, with its own functions, and each risky question in a child process (trial.hpp).
#pragma once

#include "uring.hpp"
#include "verdict.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace probe {

struct forbidden {
    bool is_set = false;              // LAIO_FORBID is in the environment
    std::string text;                 // as it was set
    std::uint32_t bits = 0;           // LAIO_FORBID_...
    std::vector<std::string> names;   // of these
    std::vector<std::string> unknown; // names that the library overlooks
};

struct engines {
    verdict loop;                  // whether one could be made
    std::vector<std::string> used; // readiness, ring, carriers, activations
    int ring_errno = 0;
    std::uint32_t carriers_max = 0;
    std::uint32_t carriers_hard_max = 0;
    int cancel_signal = 0;
};

struct machine {
    std::string release;
    std::string version;
    std::string hardware;     // as uname(2) says
    std::string architecture; // whose numbers the library uses
    forbidden forbid;
    uring ring;
    verdict nowait;
    verdict cached;
    verdict pidfd;
    verdict cachestat;
    verdict attempts;
    verdict activations;
    engines made;
    std::vector<std::string> needed; // names that LAIO_FORBID needs here, because asking kills
};

machine examine_machine();
bool has_activations(); // the same answer, without the others

// "x86_64" or "aarch64".
const char *native_architecture();

} // namespace probe
