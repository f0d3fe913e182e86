#include "workload/parameters.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace replay {
namespace {

using p = workload_parameters;

constexpr std::array<parameter, 19> table = {{
    {"requests", &p::requests, 1, 4e9, true, "requests at scale 1"},
    {"footprint_bytes", &p::footprint_bytes, 1, 1e15, true, "bytes of all files at scale 1"},
    {"scale", &p::scale, 1e-6, 1000, false, "multiplies requests and footprint"},
    {"seed", &p::seed, 0, 0x1p53, true, "of everything random"},
    {"small_share", &p::small_share, 0, 0.99, false, "of the bytes transferred, in files up to 8 KB"},
    {"medium_share", &p::medium_share, 0, 0.99, false, "of the bytes transferred, in files above 8 and up to 256 KB"},
    {"mean_file_bytes", &p::mean_file_bytes, 1, 1e12, true, "mean size of the files; the footprint says how many"},
    {"mean_transfer_bytes", &p::mean_transfer_bytes, 0, 1e12, true, "mean size of the responses; 0: that of the files"},
    {"tail_index", &p::tail_index, 0.3, 5, false, "of the Pareto tail of sizes, above 256 KB"},
    {"largest_file_bytes", &p::largest_file_bytes, 524'288, 1e13, true, "where the tail ends"},
    {"zipf_exponent", &p::zipf_exponent, 0, 3, false, "of popularity; 0: all files alike"},
    {"repeat_probability", &p::repeat_probability, 0, 0.95, false, "that a request is for a file asked for lately"},
    {"repeat_depth_median", &p::repeat_depth_median, 1, 1000, false, "how many other files lately, the half of them"},
    {"repeat_depth_sigma", &p::repeat_depth_sigma, 0, 4, false, "of that number's logarithm"},
    {"sequence_mean_requests", &p::sequence_mean_requests, 1, 10'000, false, "mean length of a sequence"},
    {"sequence_tail_index", &p::sequence_tail_index, 0.3, 10, false, "of the tail of the lengths"},
    {"sequence_most_requests", &p::sequence_most_requests, 1, 1e6, true, "where that tail ends"},
    {"folder_depth", &p::folder_depth, 0, 40, true, "folders above a file"},
    {"files_per_folder", &p::files_per_folder, 1, 1e6, true, "files in a folder that has files"},
}};

const parameter &find(std::string_view name) {
    const auto found = std::ranges::find_if(table, [&](const parameter &one) { return name == one.name; });
    if (found == table.end()) throw std::invalid_argument(fmt::format("there is no parameter '{}'", name));
    return *found;
}

void assign(workload_parameters &parameters, const parameter &one, double value) {
    if (!(value >= one.least && value <= one.most) || (one.is_whole && value != std::floor(value)))
        throw std::invalid_argument(fmt::format("{} is {}from {} to {}, not {}", one.name,
                                                one.is_whole ? "a whole number " : "", one.least, one.most, value));
    parameters.*one.member = value;
}

} // namespace

std::uint64_t workload_parameters::scaled_requests() const {
    return static_cast<std::uint64_t>(std::llround(requests * scale));
}
std::uint64_t workload_parameters::scaled_footprint_bytes() const {
    return static_cast<std::uint64_t>(std::llround(footprint_bytes * scale));
}
std::uint64_t workload_parameters::files() const {
    return static_cast<std::uint64_t>(std::max(1LL, std::llround(footprint_bytes * scale / mean_file_bytes)));
}

std::span<const parameter> parameter_table() { return table; }

workload_parameters named_workload(std::string_view name) {
    workload_parameters made;
    if (name == "rice") {
        made.requests = 245'820;
        made.footprint_bytes = 1.1e9;
        made.small_share = 0.055;
        made.medium_share = 0.202;
        made.mean_file_bytes = 32'000;
    } else if (name == "berkeley") {
        made.requests = 3'184'540;
        made.footprint_bytes = 6.4e9;
        made.small_share = 0.082;
        made.medium_share = 0.332;
        made.mean_file_bytes = 20'000;
    } else if (name == "flat") {
        made.requests = 100'000;
        made.footprint_bytes = 65'536e4;
        made.mean_file_bytes = 65'536;
        made.zipf_exponent = 0;
        made.repeat_probability = 0;
    } else if (name == "metadata") {
        made.requests = 2'000'000;
        made.footprint_bytes = 2'048e6;
        made.mean_file_bytes = 2'048;
        made.zipf_exponent = 0;
        made.repeat_probability = 0;
        made.folder_depth = 10;
        made.files_per_folder = 8;
    } else {
        throw std::invalid_argument(
            fmt::format("'{}' is none of rice, berkeley, flat and metadata, nor a file that ends in .json", name));
    }
    return made;
}

workload_parameters parameters_from_json(const nlohmann::json &object, const workload_parameters &base) {
    if (!object.is_object()) throw std::invalid_argument("parameters are a JSON object of names and numbers");
    workload_parameters made = base;
    for (const auto &[name, value] : object.items()) {
        const parameter &one = find(name);
        if (!value.is_number()) throw std::invalid_argument(fmt::format("{} is not a number", name));
        assign(made, one, value.get<double>());
    }
    return made;
}

nlohmann::ordered_json to_json(const workload_parameters &parameters) {
    nlohmann::ordered_json object;
    for (const parameter &one : table) {
        const double value = parameters.*one.member;
        if (value == std::floor(value) && std::abs(value) <= 0x1p53)
            object[one.name] = static_cast<std::int64_t>(value);
        else object[one.name] = value;
    }
    return object;
}

void set_parameter(workload_parameters &parameters, std::string_view assignment) {
    const auto equals = assignment.find('=');
    if (equals == std::string_view::npos)
        throw std::invalid_argument(fmt::format("'{}' is not NAME=VALUE", assignment));
    const std::string_view text = assignment.substr(equals + 1);
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
        throw std::invalid_argument(fmt::format("'{}' is not a number", text));
    assign(parameters, find(assignment.substr(0, equals)), value);
}

void check_parameters(const workload_parameters &parameters) {
    workload_parameters checked;
    for (const parameter &one : table) assign(checked, one, parameters.*one.member);
    if (parameters.has_classes() && (parameters.small_share == 0 || parameters.medium_share == 0 ||
                                     parameters.small_share + parameters.medium_share > 0.99))
        throw std::invalid_argument(
            "small_share and medium_share are both above 0 and together at most 0.99, or both 0");
    if (parameters.files() > 0xffff'fff0U || parameters.scaled_requests() > 0xffff'fff0U)
        throw std::invalid_argument("files and requests are less than 2^32");
    if (parameters.scaled_requests() < parameters.files())
        throw std::invalid_argument(
            fmt::format("each file is requested once at least, and {} requests are fewer than {} files: "
                        "more requests, a smaller footprint_bytes or a greater mean_file_bytes are needed",
                        parameters.scaled_requests(), parameters.files()));
    if (parameters.sequence_mean_requests > parameters.sequence_most_requests)
        throw std::invalid_argument("sequence_mean_requests is at most sequence_most_requests");
}

} // namespace replay
