#include "workload/popularity.hpp"

#include "workload/exact_math.hpp"
#include "workload/sizes.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <span>
#include <stdexcept>

namespace replay {
namespace {

// How far what is made may be from what is asked for: a tenth of what describes may differ by.
constexpr double share_tolerance = 0.0005;
constexpr double mean_tolerance = 0.005;

// The bytes transferred by class, and their distance from the aim.
class transfers {
public:
    transfers(const workload_parameters &parameters, double requests)
        : shares_{parameters.small_share, parameters.medium_share,
                  1 - parameters.small_share - parameters.medium_share},
          bytes_(requests *
                 (parameters.mean_transfer_bytes > 0 ? parameters.mean_transfer_bytes : parameters.mean_file_bytes)) {}

    void add(std::uint64_t size, std::int64_t count) {
        by_class_[static_cast<std::size_t>(class_of(size))] += static_cast<std::int64_t>(size) * count;
    }

    double share_error(std::size_t of) const {
        return std::abs(static_cast<double>(by_class_[of]) / all() - shares_[of]);
    }
    double mean_error() const { return std::abs(all() / bytes_ - 1); }
    double error() const { return share_error(0) + share_error(1) + share_error(2) + mean_error(); }
    bool is_good() const {
        return mean_error() < mean_tolerance && share_error(0) < share_tolerance && share_error(1) < share_tolerance &&
               share_error(2) < share_tolerance;
    }
    double share(std::size_t of) const { return static_cast<double>(by_class_[of]) / all(); }
    double all() const { return static_cast<double>(by_class_[0] + by_class_[1] + by_class_[2]); }

private:
    std::array<double, size_classes> shares_;
    double bytes_;
    std::array<std::int64_t, size_classes> by_class_{};
};

// Ranks such that each order of magnitude is as likely as another: few files have most of the requests.
class any_rank {
public:
    explicit any_rank(std::size_t ranks) : ranks_(ranks), log_(exact::log(static_cast<double>(ranks) + 1)) {}
    std::size_t operator()(random_numbers &random) const {
        return std::min(ranks_ - 1, static_cast<std::size_t>(exact::exp(random.unit() * log_)) - 1);
    }

private:
    std::size_t ranks_;
    double log_;
};

} // namespace

std::vector<std::uint32_t> make_counts(std::uint64_t requests, std::size_t files, double zipf_exponent) {
    std::vector<double> weights(files);
    for (std::size_t i = 0; i < files; ++i)
        weights[i] = zipf_exponent == 0 ? 1 : exact::pow(static_cast<double>(i) + 1, -zipf_exponent);
    const auto count = [&](std::size_t rank, double factor) {
        return std::max(1.0, std::floor(weights[rank] * factor));
    };
    // The factor may be as large as to give all requests to the first file.
    double low = 0;
    double high = static_cast<double>(requests) + 1;
    for (int i = 0; i < 60; ++i) {
        const double middle = (low + high) / 2;
        double sum = 0;
        for (std::size_t rank = 0; rank < files; ++rank) sum += count(rank, middle);
        (sum > static_cast<double>(requests) ? high : low) = middle;
    }
    std::vector<std::uint32_t> counts(files);
    std::uint64_t left = requests;
    for (std::size_t rank = 0; rank < files; ++rank) {
        counts[rank] = static_cast<std::uint32_t>(count(rank, low));
        left -= counts[rank];
    }
    // What rounding left, one each, from the first rank on: they remain in order.
    for (std::size_t rank = 0; left > 0; rank = (rank + 1) % files, --left) ++counts[rank];
    return counts;
}

void arrange_sizes(std::vector<std::uint64_t> &sizes, const std::vector<std::uint32_t> &counts,
                   const workload_parameters &parameters, random_numbers &random) {
    random.shuffle(std::span(sizes));
    if (!parameters.has_classes()) return;
    double requests = 0;
    for (const std::uint32_t count : counts) requests += count;
    transfers now(parameters, requests);
    for (std::size_t i = 0; i < sizes.size(); ++i) now.add(sizes[i], counts[i]);

    const any_rank rank(sizes.size());
    std::uint64_t tries = 2'000'000 + 20 * sizes.size();
    for (double error = now.error(); !now.is_good() && tries > 0; --tries) {
        const std::size_t one = rank(random);
        const std::size_t other = random.below(sizes.size());
        const std::int64_t more = std::int64_t{counts[other]} - counts[one];
        transfers then = now;
        then.add(sizes[one], more);
        then.add(sizes[other], -more);
        if (then.error() >= error) continue;
        std::swap(sizes[one], sizes[other]);
        now = then;
        error = then.error();
    }
    if (!now.is_good())
        throw std::invalid_argument(fmt::format(
            "the shares of bytes transferred cannot be met with a mean transfer of {:.0f} bytes: {:.1f}, {:.1f} and "
            "{:.1f} % with {:.0f} bytes are the nearest (a larger scale, or another mean_transfer_bytes, may help)",
            parameters.mean_transfer_bytes > 0 ? parameters.mean_transfer_bytes : parameters.mean_file_bytes,
            100 * now.share(0), 100 * now.share(1), 100 * now.share(2), now.all() / requests));
}

} // namespace replay
