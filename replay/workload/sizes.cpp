#include "workload/sizes.hpp"

#include "workload/exact_math.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <stdexcept>

namespace replay {
namespace {

// The middle of step `i` of `count`.
double step(std::size_t i, std::size_t count) { return (static_cast<double>(i) + 0.5) / static_cast<double>(count); }

// A log-normal distribution without what is above medium_bytes_max.
class body {
public:
    body(double mu, double sigma)
        : mu_(mu), sigma_(sigma),
          below_(exact::normal_cdf((exact::log(static_cast<double>(medium_bytes_max)) - mu) / sigma)) {}

    double quantile(double u) const { return exact::exp(mu_ + sigma_ * exact::normal_quantile(u * below_)); }

private:
    double mu_;
    double sigma_;
    double below_;
};

struct body_sums {
    double mean_bytes = 0;
    double small_share = 0; // of the bytes
};

body_sums sums_of(const body &of, std::size_t files) {
    const std::size_t steps = std::min<std::size_t>(files, 512);
    double all = 0;
    double small = 0;
    for (std::size_t i = 0; i < steps; ++i) {
        const double bytes = of.quantile(step(i, steps));
        all += bytes;
        if (bytes <= static_cast<double>(small_bytes_max)) small += bytes;
    }
    return {all / static_cast<double>(steps), small / all};
}

// Where `is_above` begins to hold.
template <typename Predicate> double bisect(double low, double high, Predicate is_above) {
    for (int i = 0; i < 32; ++i) {
        const double middle = (low + high) / 2;
        (is_above(middle) ? high : low) = middle;
    }
    return (low + high) / 2;
}

// The mu that gives the mean with a sigma. The mean of the cut distribution grows with mu, up to medium_bytes_max.
double mu_for(double mean_bytes, double sigma, std::size_t files) {
    return bisect(-10, 25, [&](double mu) { return sums_of({mu, sigma}, files).mean_bytes > mean_bytes; });
}

double tail_quantile(double u, const workload_parameters &parameters) {
    const auto least = static_cast<double>(medium_bytes_max);
    const double cut = 1 - exact::pow(least / parameters.largest_file_bytes, parameters.tail_index);
    return least * exact::pow(1 - u * cut, -1 / parameters.tail_index);
}

// As many steps of the tail as have `bytes` together, then scaled to have them exactly.
std::vector<double> tail_sizes(double bytes, std::size_t files_max, const workload_parameters &parameters) {
    const auto sum = [&](std::size_t files) {
        double all = 0;
        for (std::size_t i = 0; i < files; ++i) all += tail_quantile(step(i, files), parameters);
        return all;
    };
    std::size_t low = 1;
    std::size_t high =
        std::max<std::size_t>(1, std::min(files_max, static_cast<std::size_t>(bytes / medium_bytes_max)));
    while (low < high) {
        const std::size_t middle = (low + high + 1) / 2;
        if (sum(middle) > bytes) high = middle - 1;
        else low = middle;
    }
    std::vector<double> sizes(low);
    const double least = static_cast<double>(medium_bytes_max) + 1;
    const double factor = (bytes - least * static_cast<double>(low)) / (sum(low) - least * static_cast<double>(low));
    if (factor <= 0)
        throw std::invalid_argument(fmt::format("{:.0f} bytes are too few for a file above {} bytes: the scale is too "
                                                "small",
                                                bytes, medium_bytes_max));
    for (std::size_t i = 0; i < low; ++i) sizes[i] = least + (tail_quantile(step(i, low), parameters) - least) * factor;
    return sizes;
}

} // namespace

file_sizes make_sizes(const workload_parameters &parameters) {
    const auto files = static_cast<std::size_t>(parameters.files());
    if (!parameters.has_classes())
        return {std::vector<std::uint64_t>(files, static_cast<std::uint64_t>(parameters.mean_file_bytes))};

    const auto footprint = static_cast<double>(parameters.scaled_footprint_bytes());
    const double body_share = parameters.small_share + parameters.medium_share;
    const auto tail = tail_sizes(footprint * (1 - body_share), files, parameters);
    if (tail.size() + 2 > files) throw std::invalid_argument("mean_file_bytes is too large for these shares");
    const std::size_t body_files = files - tail.size();
    const double mean = footprint * body_share / static_cast<double>(body_files);

    // With the mean given, the more spread the fewer bytes are in small files.
    const double small_share = parameters.small_share / body_share;
    constexpr double sigma_least = 0.5;
    constexpr double sigma_most = 4;
    const auto small_share_with = [&](double sigma) {
        return sums_of({mu_for(mean, sigma, body_files), sigma}, body_files).small_share;
    };
    if (mean >= static_cast<double>(medium_bytes_max) || small_share_with(sigma_least) < small_share)
        throw std::invalid_argument(
            fmt::format("mean_file_bytes is too large for a small_share of {}", parameters.small_share));
    if (small_share_with(sigma_most) > small_share)
        throw std::invalid_argument(
            fmt::format("mean_file_bytes is too small for a small_share of {}", parameters.small_share));
    const double sigma = bisect(sigma_least, sigma_most, [&](double s) { return small_share_with(s) < small_share; });
    const double mu = mu_for(mean, sigma, body_files);

    file_sizes made{{}, exact::exp(mu), sigma};
    const body fitted(mu, sigma);
    made.bytes.reserve(files);
    for (std::size_t i = 0; i < body_files; ++i)
        made.bytes.push_back(
            std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::llround(fitted.quantile(step(i, body_files))))));
    for (const double bytes : tail) made.bytes.push_back(static_cast<std::uint64_t>(std::llround(bytes)));
    return made;
}

} // namespace replay
