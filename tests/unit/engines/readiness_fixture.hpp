// A readiness engine with nothing else of a loop, and operations that wait in it.
#pragma once

#include "engines/by_hand.hpp"
#include "engines/readiness.hpp"
#include "engines/timers.hpp"
#include "kernel/clock.hpp"

#include <gtest/gtest.h>

namespace laio::test {

class readiness_fixture : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_EQ(timers_.open(), 0);
        ASSERT_EQ(readiness_.open(timers_.descriptor()), 0);
    }
    void TearDown() override {
        for (operation *op : operations_.all()) readiness_.cancel(*op);
    }
    operation &wait(const descriptor &one, until what) {
        operation &op = operations_.wait(one.get(), what);
        EXPECT_GE(readiness_.start(op), 0);
        return op;
    }
    operation &wait_to_read(const descriptor &one) { return wait(one, until::readable); }

    given collect() {
        operation_list ready;
        readiness_.collect(ready);
        return operations_.take(ready);
    }
    // What is ready now.
    given look() {
        EXPECT_EQ(readiness_.sleep(&no_time), 0);
        return collect();
    }

    operations operations_;
    timers timers_;
    readiness readiness_;
};

} // namespace laio::test
