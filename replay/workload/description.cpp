#include "workload/description.hpp"

#include "trace/decoded_path.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <numeric>
#include <unordered_map>
#include <utility>

namespace replay {
namespace {

double ratio(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

// The slope of the line through the logarithms of rank and requests, by least squares. Each rank counts by 1/rank, so that
// each order of magnitude of them counts alike; files with fewer requests than ten are left out: their steps are coarse.
std::optional<double> fit_zipf(const std::vector<std::uint64_t> &descending) {
    double weights = 0, x_sum = 0, y_sum = 0, xx_sum = 0, xy_sum = 0;
    std::size_t ranks = 0;
    for (; ranks < descending.size() && descending[ranks] >= 10; ++ranks) {
        const double weight = 1 / (static_cast<double>(ranks) + 1);
        const double x = std::log(static_cast<double>(ranks) + 1);
        const double y = std::log(static_cast<double>(descending[ranks]));
        weights += weight;
        x_sum += weight * x;
        y_sum += weight * y;
        xx_sum += weight * x * x;
        xy_sum += weight * x * y;
    }
    if (ranks < 10) return {};
    const double slope = (weights * xy_sum - x_sum * y_sum) / (weights * xx_sum - x_sum * x_sum);
    return std::abs(slope) < 1e-9 ? 0 : -slope; // not "-0.00"
}

void describe_sequences(const trace &of, description &made) {
    std::vector<std::uint64_t> lengths(of.sequences());
    for (std::size_t i = 0; i < lengths.size(); ++i) lengths[i] = of[i].requests.size();
    made.sequences = lengths.size();
    if (lengths.empty()) return;
    std::ranges::sort(lengths);
    made.sequence_median = lengths[(lengths.size() - 1) / 2];
    made.sequence_p99 = lengths[(lengths.size() * 99 + 99) / 100 - 1];
    made.sequence_longest = lengths.back();
}

struct asked_file {
    std::optional<std::uint64_t> bytes{}; // none: it does not exist
    std::uint64_t requests = 0;
};

std::vector<asked_file> files_of(const trace &of, const file_finder &find) {
    std::vector<std::uint64_t> requests(of.paths().size());
    for (const path_index path : of.all_requests()) ++requests[path];
    std::vector<asked_file> files;
    std::unordered_map<std::string, std::size_t> numbers; // by identity, or by the path without its query, marked
    for (path_index path = 0; path < requests.size(); ++path) {
        if (requests[path] == 0) continue;
        const auto name = of.paths()[path];
        auto file = find(name);
        auto which = file ? std::move(file->identity) : "?" + decode_path(name).value_or(std::string(name));
        const auto [number, is_new] = numbers.try_emplace(std::move(which), files.size());
        if (is_new) files.push_back({file ? std::optional(file->bytes) : std::nullopt});
        files[number->second].requests += requests[path];
    }
    return files;
}

// `counts`: the requests of each file; sorted here.
void describe_popularity(std::vector<std::uint64_t> counts, description &made) {
    if (counts.empty()) return;
    std::ranges::sort(counts, std::greater());
    const auto top = [&](std::size_t percent) {
        const auto files = (counts.size() * percent + 99) / 100;
        return ratio(
            std::accumulate(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(files), std::uint64_t{0}),
            made.requests);
    };
    made.top_1_percent_share = top(1);
    made.top_10_percent_share = top(10);
    made.requested_once_share = ratio(static_cast<std::uint64_t>(std::ranges::count(counts, 1U)), counts.size());
    made.zipf_exponent = fit_zipf(counts);
}

} // namespace

double description::mean_file_bytes() const { return ratio(footprint_bytes, files); }
double description::mean_transfer_bytes() const { return ratio(transferred_bytes, requests - requests_without_file); }
double description::sequence_mean() const { return ratio(requests, sequences); }
double description::share(size_class of) const {
    return ratio(transferred_by_class[static_cast<std::size_t>(of)], transferred_bytes);
}

description describe(const trace &of, const file_finder &find) {
    description made;
    made.requests = of.requests();
    std::vector<std::uint64_t> counts;
    for (const auto &[bytes, requests] : files_of(of, find)) {
        counts.push_back(requests);
        if (!bytes) {
            made.requests_without_file += requests;
            continue;
        }
        ++made.files;
        made.footprint_bytes += *bytes;
        made.transferred_bytes += *bytes * requests;
        made.transferred_by_class[static_cast<std::size_t>(class_of(*bytes))] += *bytes * requests;
        made.largest_file_bytes = std::max(made.largest_file_bytes, *bytes);
    }
    describe_sequences(of, made);
    describe_popularity(std::move(counts), made);
    return made;
}

nlohmann::ordered_json to_json(const description &of) {
    nlohmann::ordered_json made{
        {"requests", of.requests},
        {"requests_without_file", of.requests_without_file},
        {"files", of.files},
        {"footprint_bytes", of.footprint_bytes},
        {"transferred_bytes", of.transferred_bytes},
        {"small_share", of.share(size_class::small)},
        {"medium_share", of.share(size_class::medium)},
        {"large_share", of.share(size_class::large)},
        {"mean_file_bytes", of.mean_file_bytes()},
        {"largest_file_bytes", of.largest_file_bytes},
        {"mean_transfer_bytes", of.mean_transfer_bytes()},
        {"sequences", of.sequences},
        {"sequence_mean_requests", of.sequence_mean()},
        {"sequence_median_requests", of.sequence_median},
        {"sequence_p99_requests", of.sequence_p99},
        {"sequence_most_requests", of.sequence_longest},
        {"top_1_percent_share", of.top_1_percent_share},
        {"top_10_percent_share", of.top_10_percent_share},
        {"requested_once_share", of.requested_once_share},
        {"zipf_exponent", nullptr},
    };
    if (of.zipf_exponent) made["zipf_exponent"] = *of.zipf_exponent;
    return made;
}

std::string to_text(const description &of) {
    std::string text;
    const auto line = [&](const char *name, const std::string &value) {
        text += fmt::format("{:<23}{}\n", name, value);
    };
    const auto percent = [](double share) { return fmt::format("{:.1f} %", 100 * share); };
    line("requests", fmt::format("{}", of.requests));
    if (of.requests_without_file > 0)
        line("  without a file",
             fmt::format("{} ({})", of.requests_without_file, percent(ratio(of.requests_without_file, of.requests))));
    line("files requested", fmt::format("{}", of.files));
    line("footprint",
         fmt::format("{:.4g} GB ({} bytes)", static_cast<double>(of.footprint_bytes) / 1e9, of.footprint_bytes));
    line("transferred", fmt::format("{:.4g} GB", static_cast<double>(of.transferred_bytes) / 1e9));
    line("  files up to 8 KB", percent(of.share(size_class::small)));
    line("  8 to 256 KB", percent(of.share(size_class::medium)));
    line("  above 256 KB", percent(of.share(size_class::large)));
    line("mean file", fmt::format("{:.0f} bytes (largest {})", of.mean_file_bytes(), of.largest_file_bytes));
    line("mean transfer", fmt::format("{:.0f} bytes", of.mean_transfer_bytes()));
    line("sequences", fmt::format("{}", of.sequences));
    line("  requests in one", fmt::format("mean {:.2f}, median {}, 99 % {}, most {}", of.sequence_mean(),
                                          of.sequence_median, of.sequence_p99, of.sequence_longest));
    line("top 1 % of the files", fmt::format("{} of the requests", percent(of.top_1_percent_share)));
    line("top 10 % of the files", fmt::format("{} of the requests", percent(of.top_10_percent_share)));
    line("requested once", fmt::format("{} of the files", percent(of.requested_once_share)));
    line("Zipf exponent", of.zipf_exponent ? fmt::format("{:.2f}", *of.zipf_exponent) : "too few files to fit one");
    return text;
}

} // namespace replay
