#include "workload/workload.hpp"

#include "workload/popularity.hpp"
#include "workload/random.hpp"
#include "workload/request_order.hpp"
#include "workload/sizes.hpp"

#include <fmt/format.h>
#include <numeric>
#include <span>

namespace replay {
namespace {

enum purpose : std::uint64_t { of_sizes, of_order, of_lengths, of_places };

// Files lie in folders of the same depth, as many in each as may be; folders branch alike at each level.
class layout {
public:
    layout(std::size_t files, const workload_parameters &parameters)
        : depth_(static_cast<std::size_t>(parameters.folder_depth)),
          files_per_folder_(depth_ == 0 ? files : static_cast<std::size_t>(parameters.files_per_folder)) {
        const std::size_t folders = (files + files_per_folder_ - 1) / files_per_folder_;
        const auto holds = [&](std::size_t branches) {
            std::size_t leaves = 1;
            for (std::size_t i = 0; i < depth_ && leaves < folders; ++i) leaves *= branches;
            return leaves >= folders;
        };
        while (!holds(branches_)) ++branches_;
    }

    // `place` counts files folder by folder.
    std::string path(std::size_t place) const {
        std::string folder;
        std::size_t number = place / files_per_folder_;
        for (std::size_t i = 0; i < depth_; ++i, number /= branches_)
            folder.insert(0, fmt::format("/d{}", number % branches_));
        return fmt::format("{}/f{}", folder, place % files_per_folder_);
    }

private:
    std::size_t depth_;
    std::size_t files_per_folder_;
    std::size_t branches_ = 1;
};

} // namespace

workload make_workload(const workload_parameters &parameters) {
    check_parameters(parameters);
    const auto random = [&](purpose of) { return random_numbers(static_cast<std::uint64_t>(parameters.seed), of); };
    auto for_sizes = random(of_sizes), for_order = random(of_order), for_lengths = random(of_lengths),
         for_places = random(of_places);

    file_sizes sizes = make_sizes(parameters);
    const std::size_t files = sizes.bytes.size();
    const auto counts = make_counts(parameters.scaled_requests(), files, parameters.zipf_exponent);
    arrange_sizes(sizes.bytes, counts, parameters, for_sizes);

    workload made;
    made.body_median_bytes = sizes.body_median_bytes;
    made.body_sigma = sizes.body_sigma;
    std::vector<std::uint32_t> places(files);
    std::iota(places.begin(), places.end(), 0);
    for_places.shuffle(std::span(places));
    made.files.resize(files);
    const layout folders(files, parameters);
    for (std::uint32_t file = 0; file < files; ++file) {
        listed_file &one = made.files[places[file]];
        one = {sizes.bytes[file], folders.path(places[file])};
        made.requests.paths().intern(one.path); // has number `file`
    }

    const auto order = make_order(counts, parameters, for_order);
    auto next = order.begin();
    for (const std::uint32_t length : make_lengths(order.size(), parameters, for_lengths)) {
        for (std::uint32_t i = 0; i < length; ++i) made.requests.add_request(*next++);
        made.requests.end_sequence();
    }
    return made;
}

} // namespace replay
