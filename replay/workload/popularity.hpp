// How often each file is requested, and which file has which popularity. The file of rank r is requested C * r^-s times,
// once at least, with the C that gives the number of requests: exact counts, not draws. Which file has a rank is random, as
// sizes and popularity hardly depend on one another (Breslau et al. 1999); then pairs change places as long as that brings
// the shares of bytes transferred and the mean transfer nearer to what is asked for. Pure; no system calls.
#pragma once

#include "workload/parameters.hpp"
#include "workload/random.hpp"

#include <cstdint>
#include <vector>

namespace replay {

// Requests by rank, descending; their sum is `requests`. Not more files than requests.
std::vector<std::uint32_t> make_counts(std::uint64_t requests, std::size_t files, double zipf_exponent);

// Puts `sizes` into an order that has sizes[r] for counts[r]. std::invalid_argument if the shares cannot be met.
void arrange_sizes(std::vector<std::uint64_t> &sizes, const std::vector<std::uint32_t> &counts,
                   const workload_parameters &parameters, random_numbers &random);

} // namespace replay
