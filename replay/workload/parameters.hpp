// What a workload is made of: named numbers, in one table with their bounds and meanings, from which JSON, the command line
// and the help are made. docs/workloads.md has the reasons for the defaults. Pure but for the file that is read.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

namespace replay {

// All are doubles: the largest whole ones are far below 2^53, and one type is one table.
struct workload_parameters {
    double requests = 0;
    double footprint_bytes = 0;
    double scale = 1; // multiplies the two
    double seed = 1;

    // Sizes. Without shares every file has the mean size.
    double small_share = 0;  // of the bytes transferred, in files up to 8 KB
    double medium_share = 0; // up to 256 KB; the rest is in larger ones
    double mean_file_bytes = 0;
    double mean_transfer_bytes = 0; // 0: that of files
    double tail_index = 1.1;
    double largest_file_bytes = 67'108'864;

    // Requests.
    double zipf_exponent = 1;
    double repeat_probability = 0.2;
    double repeat_depth_median = 32;
    double repeat_depth_sigma = 1.5;
    double sequence_mean_requests = 8;
    double sequence_tail_index = 1.5;
    double sequence_most_requests = 1000;

    // Folders.
    double folder_depth = 4;
    double files_per_folder = 20;

    bool has_classes() const { return small_share + medium_share > 0; }
    std::uint64_t scaled_requests() const;
    std::uint64_t scaled_footprint_bytes() const;
    std::uint64_t files() const; // as many as give the footprint with the mean
};

struct parameter {
    const char *name;
    double workload_parameters::*member;
    double least;
    double most;
    bool is_whole;
    const char *meaning;
};

std::span<const parameter> parameter_table();

// rice, berkeley, flat or metadata; std::invalid_argument for another name.
workload_parameters named_workload(std::string_view name);
// An object of some of the names; others keep the values of `base`. std::invalid_argument with what is wrong.
workload_parameters parameters_from_json(const nlohmann::json &object, const workload_parameters &base = {});
nlohmann::ordered_json to_json(const workload_parameters &parameters); // all of them
// "NAME=VALUE"; std::invalid_argument.
void set_parameter(workload_parameters &parameters, std::string_view assignment);
// Bounds of each, and what they must be together; std::invalid_argument.
void check_parameters(const workload_parameters &parameters);

} // namespace replay
