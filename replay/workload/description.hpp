// A trace in numbers: those of the paper's Table 2, and those it does not give. Bytes are those of the bodies that a server
// with these files would send; a request for a file that does not exist counts as a request, and has none. Files are
// counted, not paths: /a and /a?b are one.
#pragma once

#include "trace/trace.hpp"
#include "workload/file_finder.hpp"
#include "workload/sizes.hpp"

#include <array>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace replay {

struct description {
    std::uint64_t requests = 0;
    std::uint64_t requests_without_file = 0;
    std::uint64_t files = 0; // that exist and are requested
    std::uint64_t footprint_bytes = 0;
    std::uint64_t transferred_bytes = 0;
    std::array<std::uint64_t, size_classes> transferred_by_class{};
    std::uint64_t largest_file_bytes = 0;

    std::uint64_t sequences = 0;
    std::uint64_t sequence_median = 0;
    std::uint64_t sequence_p99 = 0;
    std::uint64_t sequence_longest = 0;

    // Of the requests, for the files requested most; those that do not exist are files here.
    double top_1_percent_share = 0;
    double top_10_percent_share = 0;
    double requested_once_share = 0;       // of the files
    std::optional<double> zipf_exponent{}; // none if too few files are requested often enough

    double mean_file_bytes() const;
    double mean_transfer_bytes() const;
    double sequence_mean() const;
    double share(size_class of) const; // of the bytes transferred
};

// Asks `find` once for each path.
description describe(const trace &of, const file_finder &find);

nlohmann::ordered_json to_json(const description &of);
std::string to_text(const description &of);

} // namespace replay
