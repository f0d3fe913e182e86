#include "workload/request_order.hpp"

#include "workload/exact_math.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

namespace replay {
namespace {

// The files asked for last, each once, the last one first.
class recent_files {
public:
    // Depth 0 is the last file. Those deeper than what is kept are not found.
    std::uint32_t at(std::size_t depth) const { return files_[depth]; }
    std::size_t size() const { return files_.size(); }

    void use(std::uint32_t file) {
        auto found = std::ranges::find(files_, file);
        if (found == files_.end()) {
            if (files_.size() < kept) files_.push_back(file);
            found = files_.end() - 1;
        }
        std::move_backward(files_.begin(), found, found + 1);
        files_.front() = file;
    }

private:
    static constexpr std::size_t kept = 2048;
    std::vector<std::uint32_t> files_;
};

} // namespace

std::vector<std::uint32_t> make_order(const std::vector<std::uint32_t> &counts, const workload_parameters &parameters,
                                      random_numbers &random) {
    std::vector<std::uint32_t> to_come;
    to_come.reserve(std::accumulate(counts.begin(), counts.end(), std::size_t{0}));
    for (std::uint32_t file = 0; file < counts.size(); ++file) to_come.insert(to_come.end(), counts[file], file);
    random.shuffle(std::span(to_come));
    if (parameters.repeat_probability == 0) return to_come;

    // A repeated request is one that was to come later: the next so many of its file in to_come are passed over.
    std::vector<std::uint32_t> passed_over(counts.size());
    std::vector<std::uint32_t> left = counts;
    std::vector<std::uint32_t> order;
    order.reserve(to_come.size());
    recent_files recent;
    const double mu = exact::log(parameters.repeat_depth_median);
    for (std::size_t next = 0; order.size() < to_come.size();) {
        std::uint32_t file = to_come[next];
        if (passed_over[file] > 0) {
            --passed_over[file];
            ++next;
            continue;
        }
        bool is_repeat = false;
        if (random.unit() < parameters.repeat_probability) {
            const double z = exact::normal_quantile(random.unit());
            const double depth = std::floor(exact::exp(mu + parameters.repeat_depth_sigma * z));
            if (depth < static_cast<double>(recent.size())) {
                const std::uint32_t before = recent.at(static_cast<std::size_t>(depth));
                is_repeat = left[before] > 0;
                if (is_repeat) {
                    file = before;
                    ++passed_over[file];
                }
            }
        }
        if (!is_repeat) ++next;
        --left[file];
        recent.use(file);
        order.push_back(file);
    }
    return order;
}

std::vector<std::uint32_t> make_lengths(std::uint64_t requests, const workload_parameters &parameters,
                                        random_numbers &random) {
    const auto wanted = static_cast<double>(requests);
    const double most = parameters.sequence_most_requests;
    const auto count = static_cast<std::size_t>(
        std::max({1.0, std::floor(wanted / parameters.sequence_mean_requests + 0.5), std::ceil(wanted / most)}));
    std::vector<double> tail(count);
    for (std::size_t i = 0; i < count; ++i) {
        const double u = (static_cast<double>(i) + 0.5) / static_cast<double>(count);
        tail[i] = exact::pow(1 - u, -1 / parameters.sequence_tail_index) - 1;
    }
    const auto length = [&](std::size_t i, double factor) { return std::min(most, 1 + std::floor(tail[i] * factor)); };
    double low = 0;
    double high = 1e12;
    for (int i = 0; i < 100; ++i) {
        const double middle = (low + high) / 2;
        double sum = 0;
        for (std::size_t j = 0; j < count; ++j) sum += length(j, middle);
        (sum > wanted ? high : low) = middle;
    }
    std::vector<std::uint32_t> lengths(count);
    std::uint64_t left = requests;
    for (std::size_t i = 0; i < count; ++i) {
        lengths[i] = static_cast<std::uint32_t>(length(i, low));
        left -= lengths[i];
    }
    // What rounding left, one each where there is room.
    for (std::size_t i = 0; left > 0; i = (i + 1) % count) {
        if (lengths[i] >= most) continue;
        ++lengths[i];
        --left;
    }
    random.shuffle(std::span(lengths));
    return lengths;
}

} // namespace replay
