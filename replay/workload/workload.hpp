// A workload: the files of a tree, and a trace of requests for them, each of which it requests once at least. The same
// parameters make the same workload on every machine. Files are numbered by popularity while it is made; where they lie in
// the folders has nothing to do with it.
#pragma once

#include "trace/trace.hpp"
#include "workload/file_list.hpp"
#include "workload/parameters.hpp"

#include <vector>

namespace replay {

struct workload {
    std::vector<listed_file> files; // in the order in which a tree is written: folder by folder
    trace requests;
    double body_median_bytes = 0; // what was fitted; 0 where all files are alike
    double body_sigma = 0;
};

// std::invalid_argument if the parameters contradict one another.
workload make_workload(const workload_parameters &parameters);

} // namespace replay
