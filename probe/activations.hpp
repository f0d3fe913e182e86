// Whether a call that blocks in place can be left behind here: it is tried, with a loop and a call on an empty pipe, in a
// child process. Where that fails, each thing that activations are made of is asked for by itself, to say which one it is.
#pragma once

#include "verdict.hpp"

#include <cstdint>

namespace probe {

// `forbid`: LAIO_FORBID_... that the loop has to do without, as LAIO_FORBID says or because asking would kill.
verdict examine_activations(std::uint32_t forbid);

} // namespace probe
