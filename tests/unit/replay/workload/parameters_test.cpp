#include "workload/parameters.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <functional>
#include <stdexcept>

namespace {

using replay::workload_parameters;

std::string error_of(const std::function<void()> &act) {
    try {
        act();
    } catch (const std::invalid_argument &error) { return error.what(); }
    return "no error";
}

TEST(parameters, come_back_from_json_as_they_were) {
    for (const char *name : {"rice", "berkeley", "flat", "metadata"}) {
        auto made = replay::named_workload(name);
        replay::check_parameters(made);
        replay::set_parameter(made, "scale=0.3");
        replay::set_parameter(made, "seed=9007199254740991");
        const auto again = replay::parameters_from_json(nlohmann::json::parse(to_json(made).dump()));
        for (const auto &one : replay::parameter_table()) EXPECT_EQ(again.*one.member, made.*one.member) << one.name;
    }
}

TEST(parameters, all_are_in_the_table) {
    EXPECT_EQ(replay::parameter_table().size() * sizeof(double), sizeof(workload_parameters));
}

TEST(parameters, what_is_wrong_with_them_is_said) {
    workload_parameters made;
    const auto set = [&](const char *assignment) { return error_of([&] { replay::set_parameter(made, assignment); }); };
    EXPECT_EQ(set("depth=3"), "there is no parameter 'depth'");
    EXPECT_EQ(set("scale"), "'scale' is not NAME=VALUE");
    EXPECT_EQ(set("scale=one"), "'one' is not a number");
    EXPECT_EQ(set("scale="), "'' is not a number");
    EXPECT_EQ(set("scale=1x"), "'1x' is not a number");
    EXPECT_EQ(set("scale=nan"), "scale is from 1e-06 to 1000, not nan");
    EXPECT_EQ(set("folder_depth=1.5"), "folder_depth is a whole number from 0 to 40, not 1.5");
    EXPECT_EQ(set("requests=0"), "requests is a whole number from 1 to 4000000000, not 0");
    const auto json = [](const char *text) {
        return error_of([&] { replay::parameters_from_json(nlohmann::json::parse(text)); });
    };
    EXPECT_EQ(json("[]"), "parameters are a JSON object of names and numbers");
    EXPECT_EQ(json(R"({"scale": "1"})"), "scale is not a number");
    EXPECT_EQ(json(R"({"size": 1})"), "there is no parameter 'size'");
    EXPECT_NE(error_of([] { replay::named_workload("Rice"); }), "no error");
}

TEST(parameters, that_contradict_one_another_are_refused) {
    const auto check = [](std::initializer_list<const char *> assignments) {
        auto made = replay::named_workload("rice");
        for (const char *one : assignments) replay::set_parameter(made, one);
        return error_of([&] { replay::check_parameters(made); });
    };
    EXPECT_EQ(check({}), "no error");
    EXPECT_NE(check({"small_share=0.5", "medium_share=0.6"}), "no error");
    EXPECT_NE(check({"small_share=0"}), "no error");
    EXPECT_NE(check({"requests=1000"}), "no error");
    EXPECT_NE(check({"sequence_mean_requests=10", "sequence_most_requests=9"}), "no error");
    EXPECT_NE(check({"requests=4e9", "scale=2"}), "no error");
}

} // namespace
