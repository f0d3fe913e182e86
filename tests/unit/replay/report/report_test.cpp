#include "report/report.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <sstream>

namespace {

using namespace std::chrono_literals;
using replay::failure;
using replay::report;
using replay::tally;

tally &of_ten_seconds(tally &counts) {
    for (int s = 0; s < 10; ++s) {
        counts.flow.add(std::chrono::seconds(s) + 500ms, 100, 1'000'000);
        counts.requests += 100;
        counts.body_bytes += 1'000'000;
        for (int i = 0; i < 100; ++i) counts.response.record(1ms);
    }
    counts.flow.add(100ms, 1000, 0); // a rush at the start, which the middle does not know
    counts.requests += 1000;
    return counts;
}

TEST(report, rates_are_of_all_and_of_the_middle) {
    tally counts;
    const report made{.load = &of_ten_seconds(counts), .url = "u", .clients = 3, .elapsed = 10s, .cpu_idle = {}};
    const auto parsed = nlohmann::json::parse(as_json(made));
    const auto &load = parsed["load"];
    EXPECT_NEAR(load["throughput"]["requests_per_s"].get<double>(), 200, 1e-6);
    EXPECT_NEAR(load["throughput"]["megabits_per_s"].get<double>(), 8, 1e-6);
    EXPECT_NEAR(load["throughput_middle"]["requests_per_s"].get<double>(), 100, 1e-6);
    EXPECT_NEAR(load["throughput_middle"]["megabits_per_s"].get<double>(), 8, 1e-6);
    EXPECT_NEAR(load["response_us"]["p99.9"].get<double>(), 1000, 5);
    EXPECT_TRUE(parsed["probe"].is_null());
    EXPECT_TRUE(parsed["client"]["cpu_idle"].is_null());
    EXPECT_EQ(parsed["clients"], 3);
    EXPECT_NE(as_text(made).find("200.0 requests/s"), std::string::npos) << as_text(made);
}

TEST(report, names_errors_by_kind) {
    tally counts;
    counts.failures[static_cast<std::size_t>(failure::reset)] = 3;
    counts.failures[static_cast<std::size_t>(failure::bad_status)] = 2;
    counts.statuses = {{200, 5}, {404, 2}};
    const report made{.probe = &counts, .url = "u", .elapsed = 1s, .cpu_idle = {}};
    const auto probe = nlohmann::json::parse(as_json(made))["probe"];
    EXPECT_EQ(probe["errors_total"], 5);
    EXPECT_EQ(probe["errors"]["reset"], 3);
    EXPECT_EQ(probe["errors"]["bad_status"], 2);
    EXPECT_EQ(probe["errors"]["timeout"], 0);
    EXPECT_EQ(probe["statuses"]["404"], 2);
    const auto text = as_text(made);
    EXPECT_NE(text.find("3 reset"), std::string::npos) << text;
    EXPECT_NE(text.find("2 with status 404"), std::string::npos) << text;
}

TEST(report, says_when_the_client_was_the_limit) {
    const tally counts;
    report made{.load = &counts, .url = "u", .elapsed = 1s, .cpu_share = 0.9, .cpu_idle = 0.1, .client_bound = true};
    EXPECT_EQ(nlohmann::json::parse(as_json(made))["client_bound"], true);
    EXPECT_NE(as_text(made).find("CLIENT-BOUND"), std::string::npos);
    made.client_bound = false;
    EXPECT_EQ(as_text(made).find("CLIENT-BOUND"), std::string::npos);
}

TEST(report, what_was_not_seen_has_no_times_and_no_rates) {
    const tally counts;
    const report made{.load = &counts, .url = "u", .cpu_idle = {}};
    const auto load = nlohmann::json::parse(as_json(made))["load"];
    EXPECT_EQ(load["throughput"]["requests_per_s"], 0);
    EXPECT_EQ(load["connect_us"]["count"], 0);
    for (const auto *name : {"mean", "min", "p50", "p99.9", "max"}) EXPECT_TRUE(load["connect_us"][name].is_null());
    EXPECT_NE(as_text(made).find("connecting          none"), std::string::npos) << as_text(made);
}

TEST(report, histograms_are_a_table_whose_shares_end_at_one) {
    tally counts;
    for (int ms = 1; ms <= 10; ++ms) counts.response.record(std::chrono::milliseconds(ms));
    std::ostringstream out;
    replay::write_histograms({.load = &counts, .url = "u", .cpu_idle = {}}, out);
    std::istringstream in(out.str());
    std::string header, name;
    std::getline(in, header);
    double from = 0, to = 0, share = 0;
    std::uint64_t count = 0, sum = 0;
    while (in >> name >> from >> to >> count >> share) {
        EXPECT_EQ(name, "response");
        EXPECT_LT(from, to);
        sum += count;
        EXPECT_NEAR(share, static_cast<double>(sum) / 10, 1e-6);
    }
    EXPECT_EQ(sum, 10U);
    EXPECT_DOUBLE_EQ(share, 1);
}

} // namespace
