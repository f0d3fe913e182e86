// The order of requests, and where sequences end. With a probability the next request is for a file that was asked for
// lately, at a log-normal depth of the stack of such files; otherwise for any that is still to come, each request alike.
// Each file comes as often as its count says. Lengths of sequences are quantiles of 1 + a Lomax distribution, in random
// order. Pure; no system calls.
#pragma once

#include "workload/parameters.hpp"
#include "workload/random.hpp"

#include <cstdint>
#include <vector>

namespace replay {

// File numbers, each as often as `counts` says.
std::vector<std::uint32_t> make_order(const std::vector<std::uint32_t> &counts, const workload_parameters &parameters,
                                      random_numbers &random);

// Their sum is `requests`.
std::vector<std::uint32_t> make_lengths(std::uint64_t requests, const workload_parameters &parameters,
                                        random_numbers &random);

} // namespace replay
