// The map of descriptors against std::map: collisions, growth, numbers that are no descriptors, no memory.
#include "calls/descriptor_map.hpp"

#include <gtest/gtest.h>

#include <climits>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

namespace {

struct record {
    int descriptor = 0;
    record *next_in_bucket = nullptr;
};

using map = laio::descriptor_map<record>;

TEST(a_descriptor_map, is_empty_at_first) {
    const map records;
    EXPECT_TRUE(records.empty());
    for (const int number : {0, 1, -1, 1000, INT_MAX, INT_MIN}) EXPECT_EQ(records.find(number), nullptr) << number;
}

TEST(a_descriptor_map, finds_what_is_in_it_and_nothing_else) {
    map records;
    record three{3};
    records.insert(three);
    EXPECT_FALSE(records.empty());
    EXPECT_EQ(records.find(3), &three);
    EXPECT_EQ(records.find(4), nullptr);
    EXPECT_EQ(records.find(3 + 16), nullptr);
    EXPECT_EQ(records.find(3 + (1 << 20)), nullptr);
    records.remove(three);
    EXPECT_TRUE(records.empty());
    EXPECT_EQ(records.find(3), nullptr);
}

// Multiples of a large power of two share their low bits however many buckets there are.
TEST(a_descriptor_map, keeps_colliding_numbers_apart_in_whatever_order_they_leave) {
    constexpr std::size_t count = 6;
    for (std::size_t first = 0; first < count; ++first) {
        for (std::size_t second = 0; second < count; ++second) {
            if (first == second) continue;
            map records;
            record colliding[count];
            for (std::size_t i = 0; i < count; ++i) {
                colliding[i].descriptor = static_cast<int>(i << 20U);
                records.insert(colliding[i]);
            }
            records.remove(colliding[first]);
            records.remove(colliding[second]);
            for (std::size_t i = 0; i < count; ++i) {
                record *expected = i == first || i == second ? nullptr : &colliding[i];
                EXPECT_EQ(records.find(colliding[i].descriptor), expected)
                    << i << " without " << first << ", " << second;
            }
        }
    }
}

TEST(a_descriptor_map, takes_any_number) {
    map records;
    std::vector<record> odd{{INT_MAX}, {INT_MIN}, {-1}, {-100}, {0}, {INT_MAX - 1}};
    for (record &one : odd) records.insert(one);
    for (record &one : odd) EXPECT_EQ(records.find(one.descriptor), &one) << one.descriptor;
    for (record &one : odd) records.remove(one);
    EXPECT_TRUE(records.empty());
}

TEST(a_descriptor_map, keeps_everything_while_it_grows) {
    constexpr int count = 100'000;
    std::vector<record> many(count);
    map records;
    for (int i = 0; i < count; ++i) {
        many[static_cast<std::size_t>(i)].descriptor = i;
        records.insert(many[static_cast<std::size_t>(i)]);
        if ((i & (i - 1)) != 0) continue; // now and then: all that are in it so far
        for (int j = 0; j <= i; ++j) ASSERT_EQ(records.find(j), &many[static_cast<std::size_t>(j)]) << "of " << i;
        ASSERT_EQ(records.find(i + 1), nullptr);
    }
    for (int i = 0; i < count; ++i) ASSERT_EQ(records.find(i), &many[static_cast<std::size_t>(i)]);
    for (record &one : many) records.remove(one);
    EXPECT_TRUE(records.empty());
    EXPECT_EQ(records.find(0), nullptr);
}

TEST(a_descriptor_map, is_like_any_other_map) {
    std::mt19937 random{1};
    std::map<int, std::unique_ptr<record>> model;
    map records;
    for (int step = 0; step < 200'000; ++step) {
        // dense like descriptors, now and then far away
        const int number = static_cast<int>(random() % 300) * (random() % 10 == 0 ? 4096 : 1);
        const auto known = model.find(number);
        ASSERT_EQ(records.find(number), known == model.end() ? nullptr : known->second.get());
        ASSERT_EQ(records.empty(), model.empty());
        if (known != model.end()) {
            records.remove(*known->second);
            model.erase(known);
        } else {
            const auto added = model.emplace(number, std::make_unique<record>(record{number})).first;
            records.insert(*added->second);
        }
    }
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
[[noreturn]] void insert_without_memory() {
    static record many[10'000];
    map records;
    const rlimit none{0, 0};
    if (setrlimit(RLIMIT_AS, &none) != 0) _exit(2);
    for (std::size_t size = 1U << 20U; size > 0; size /= 2)
        while (void *taken = std::malloc(size)) *static_cast<volatile char *>(taken) = 1; // kept: all there is
    for (int i = 0; i < 10'000; ++i) {
        many[i].descriptor = i;
        records.insert(many[i]);
    }
    for (int i = 0; i < 10'000; ++i)
        if (records.find(i) != &many[i]) _exit(3);
    for (record &one : many) records.remove(one);
    _exit(records.empty() ? 0 : 4);
}

TEST(a_descriptor_map, inserts_without_memory) { EXPECT_EXIT(insert_without_memory(), testing::ExitedWithCode(0), ""); }
#else
TEST(a_descriptor_map, inserts_without_memory) { GTEST_SKIP() << "a sanitizer needs memory of its own"; }
#endif

} // namespace
