// What is generated has the numbers that were asked for: by describe(), which knows nothing of how it was made.
#include "workload/workload.hpp"

#include "trace/text_format.hpp"
#include "workload/description.hpp"
#include "workload/popularity.hpp"
#include "workload/request_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <sstream>
#include <stdexcept>

namespace {

using replay::description;
using replay::make_workload;
using replay::size_class;
using replay::workload;
using replay::workload_parameters;

workload_parameters parameters_of(const char *name, double scale, double seed = 1) {
    auto made = replay::named_workload(name);
    made.scale = scale;
    made.seed = seed;
    return made;
}

description described(const workload &made) { return describe(made.requests, find_in_list(made.files)); }

struct aim {
    const char *name;
    double requests, footprint_bytes, small, medium, large, mean_file_bytes;
};

// Table 2 of the paper, and the means of docs/workloads.md.
constexpr aim table_2[] = {{"rice", 245'820, 1.1e9, 0.055, 0.202, 0.743, 32'000},
                           {"berkeley", 3'184'540, 6.4e9, 0.082, 0.332, 0.586, 20'000}};

TEST(workload, has_the_numbers_of_table_2_at_any_scale) {
    for (const aim &one : table_2) {
        for (const double scale : {0.01, 0.02, 0.07}) {
            for (const double seed : {1, 2, 3}) {
                SCOPED_TRACE(testing::Message() << one.name << " at " << scale << ", seed " << seed);
                const auto made = described(make_workload(parameters_of(one.name, scale, seed)));
                EXPECT_NEAR(static_cast<double>(made.requests), one.requests * scale, 1);
                EXPECT_EQ(made.requests_without_file, 0U);
                EXPECT_NEAR(static_cast<double>(made.footprint_bytes) / (one.footprint_bytes * scale), 1, 0.01);
                EXPECT_NEAR(made.share(size_class::small), one.small, 0.005);
                EXPECT_NEAR(made.share(size_class::medium), one.medium, 0.005);
                EXPECT_NEAR(made.share(size_class::large), one.large, 0.005);
                EXPECT_NEAR(made.mean_file_bytes() / one.mean_file_bytes, 1, 0.01);
                EXPECT_NEAR(made.mean_transfer_bytes() / one.mean_file_bytes, 1, 0.01);
                EXPECT_NEAR(made.sequence_mean(), 8, 0.05);
                ASSERT_TRUE(made.zipf_exponent);
                EXPECT_NEAR(*made.zipf_exponent, 1, 0.03);
            }
        }
    }
}

TEST(workload, has_what_else_is_asked_for) {
    auto asked = parameters_of("rice", 0.1);
    for (const char *one : {"mean_file_bytes=25000", "mean_transfer_bytes=20000", "zipf_exponent=0.8", "tail_index=1.5",
                            "sequence_mean_requests=3", "sequence_most_requests=50", "small_share=0.1"})
        set_parameter(asked, one);
    const auto made = described(make_workload(asked));
    EXPECT_NEAR(made.mean_file_bytes() / 25'000, 1, 0.01);
    EXPECT_NEAR(made.mean_transfer_bytes() / 20'000, 1, 0.01);
    EXPECT_NEAR(made.share(size_class::small), 0.1, 0.005);
    EXPECT_NEAR(made.share(size_class::medium), 0.202, 0.005);
    EXPECT_NEAR(*made.zipf_exponent, 0.8, 0.03);
    EXPECT_NEAR(made.sequence_mean(), 3, 0.01);
    EXPECT_LE(made.sequence_longest, 50U);
}

TEST(workload, of_equal_files_has_equal_files) {
    const auto made = described(make_workload(parameters_of("flat", 0.05)));
    EXPECT_EQ(made.requests, 5000U);
    EXPECT_EQ(made.files, 500U);
    EXPECT_EQ(made.footprint_bytes, 500 * 65'536U);
    EXPECT_EQ(made.largest_file_bytes, 65'536U);
    EXPECT_NEAR(made.top_10_percent_share, 0.1, 1e-9);
    auto uneven = parameters_of("flat", 0.05);
    set_parameter(uneven, "zipf_exponent=0.9");
    EXPECT_GT(described(make_workload(uneven)).top_10_percent_share, 0.4);
}

TEST(workload, of_metadata_has_deep_folders) {
    const auto made = make_workload(parameters_of("metadata", 0.01));
    EXPECT_EQ(described(made).files, 10'000U);
    std::map<std::string, int> folders;
    for (const auto &one : made.files) {
        EXPECT_EQ(std::ranges::count(one.path, '/'), 11);
        ++folders[one.path.substr(0, one.path.rfind('/'))];
    }
    EXPECT_EQ(folders.size(), 1250U);
    for (const auto &[folder, files] : folders) EXPECT_EQ(files, 8) << folder;
}

TEST(workload, has_each_path_once_and_requests_it) {
    for (const char *depth : {"folder_depth=0", "folder_depth=1", "folder_depth=7"}) {
        auto asked = parameters_of("rice", 0.02);
        set_parameter(asked, depth);
        const auto made = make_workload(asked);
        std::set<std::string> paths;
        for (const auto &one : made.files) EXPECT_TRUE(paths.insert(one.path).second) << one.path;
        EXPECT_EQ(described(made).files, made.files.size());
        EXPECT_EQ(made.requests.paths().size(), made.files.size());
    }
}

// A sum of everything in trace and list, which must be this one on every machine. Where the generator is meant to make
// something else, it changes: docs/workloads.md says what that means for results that are compared.
std::uint64_t checksum(const workload &made) {
    std::ostringstream text;
    write_text(made.requests, text);
    write_file_list(made.files, text);
    std::uint64_t sum = 0xcbf29ce484222325;
    for (const char c : text.str()) sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return sum;
}

TEST(workload, is_the_same_on_every_machine) {
    EXPECT_EQ(checksum(make_workload(parameters_of("rice", 0.02))), 0x84a0c8aed76d0e76U);
    EXPECT_EQ(checksum(make_workload(parameters_of("berkeley", 0.01))), 0x989017489977c837U);
    EXPECT_EQ(checksum(make_workload(parameters_of("metadata", 0.001))), 0x805b407ff30fbf9dU);
}

TEST(workload, is_another_with_another_seed) {
    EXPECT_EQ(checksum(make_workload(parameters_of("rice", 0.02, 5))),
              checksum(make_workload(parameters_of("rice", 0.02, 5))));
    EXPECT_NE(checksum(make_workload(parameters_of("rice", 0.02, 5))),
              checksum(make_workload(parameters_of("rice", 0.02, 6))));
}

TEST(workload, that_cannot_be_is_refused) {
    for (const char *one : {"mean_file_bytes=100000", "mean_file_bytes=5000", "scale=0.0001", "mean_transfer_bytes=500",
                            "mean_file_bytes=1000"}) {
        auto asked = parameters_of("rice", 0.02);
        set_parameter(asked, one);
        EXPECT_THROW(make_workload(asked), std::invalid_argument) << one;
    }
}

// How many other files were asked for between two requests for the same, of those that were asked for within `window`.
double share_near(const std::vector<std::uint32_t> &order, std::size_t window) {
    std::size_t near = 0;
    std::map<std::uint32_t, std::size_t> last;
    for (std::size_t i = 0; i < order.size(); ++i) {
        const auto [found, is_new] = last.try_emplace(order[i], i);
        if (!is_new && i - found->second <= window) ++near;
        found->second = i;
    }
    return static_cast<double>(near) / static_cast<double>(order.size());
}

TEST(request_order, comes_back_to_files_with_the_probability_asked_for) {
    const std::vector<std::uint32_t> counts(20'000, 10);
    workload_parameters asked;
    set_parameter(asked, "repeat_depth_median=8");
    for (const double probability : {0.0, 0.2, 0.5}) {
        asked.repeat_probability = probability;
        replay::random_numbers random(1, 0);
        const auto order = make_order(counts, asked, random);
        std::vector<std::uint32_t> seen(counts.size());
        for (const auto file : order) ++seen[file];
        EXPECT_EQ(seen, counts);
        // Some are too deep, or used up.
        EXPECT_NEAR(share_near(order, 1000), probability, 0.06);
    }
}

TEST(popularity, gives_all_requests_away_in_order) {
    for (const double exponent : {0.0, 0.5, 1.0, 2.0, 3.0}) {
        for (const std::uint64_t requests : {1000U, 1001U, 123'457U}) {
            const auto counts = replay::make_counts(requests, 1000, exponent);
            EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}), requests);
            EXPECT_TRUE(std::ranges::is_sorted(counts, std::greater()));
            EXPECT_GE(counts.back(), 1U);
        }
    }
}

TEST(sequence_lengths, have_the_mean_and_the_bounds) {
    for (const char *mean : {"sequence_mean_requests=1", "sequence_mean_requests=8", "sequence_mean_requests=99.5"}) {
        for (const std::uint64_t requests : {1U, 99U, 101U, 100'000U}) {
            workload_parameters asked;
            set_parameter(asked, mean);
            set_parameter(asked, "sequence_most_requests=100");
            replay::random_numbers random(1, 0);
            const auto lengths = make_lengths(requests, asked, random);
            EXPECT_EQ(std::accumulate(lengths.begin(), lengths.end(), std::uint64_t{0}), requests);
            EXPECT_GE(std::ranges::min(lengths), requests >= lengths.size() ? 1U : 0U);
            EXPECT_LE(std::ranges::max(lengths), 100U);
        }
    }
}

} // namespace
