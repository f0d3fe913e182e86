#include "cost.hpp"

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using slowfs::cost;
using slowfs::cost_table;
using slowfs::operation;

TEST(cost_table, is_of_a_mounted_disk) {
    const cost_table costs;
    for (const auto what : {operation::lookup, operation::read, operation::readdir})
        EXPECT_EQ(costs.of(what), (cost{1, {}}));
    for (const auto what :
         {operation::getattr, operation::open, operation::opendir, operation::readlink, operation::statfs})
        EXPECT_TRUE(costs.of(what).is_free());
}

TEST(cost_table, takes_accesses_or_a_duration) {
    cost_table costs;
    EXPECT_EQ(costs.set("lookup=3"), "");
    EXPECT_EQ(costs.of(operation::lookup), (cost{3, {}}));
    EXPECT_EQ(costs.set("lookup=2.5ms"), "");
    EXPECT_EQ(costs.of(operation::lookup), (cost{0, 2500us}));
    EXPECT_EQ(costs.set("read=0"), "");
    EXPECT_TRUE(costs.of(operation::read).is_free());
    EXPECT_EQ(costs.set("statfs=1000"), "");
    EXPECT_EQ(costs.of(operation::statfs), (cost{1000, {}}));
}

TEST(cost_table, refuses_the_rest_and_stays_as_it_is) {
    cost_table costs;
    for (const auto *text : {"", "=", "lookup", "lookup=", "look=1", "LOOKUP=1", "lookup=1001", "lookup=-1",
                             "lookup=1 ", "lookup=5m", "lookup==1", "lookup=4294967296", " lookup=1", "lookup=-5ms"})
        EXPECT_NE(costs.set(text), "") << text;
    EXPECT_EQ(costs.of(operation::lookup), (cost{1, {}}));
    EXPECT_NE(costs.set("look=1").find("lookup, getattr"), std::string::npos) << "it says what there is";
}

} // namespace
