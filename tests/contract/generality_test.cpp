// General: every system call can be made through laio_syscall(), and gives what it gives without it (laio_syscall(3),
// "any Linux system call"). Each case of the tables in generality/ is played with syscall() in a forked child and through
// the library here; the transcripts have to be equal.
#include "generality/cases.hpp"

#include <set>

namespace laio::test {
namespace {

using parameter = std::tuple<const engine_set *, const generality_case *>;

std::vector<const generality_case *> all_cases() {
    std::vector<const generality_case *> all;
    for (const auto &table : {file_cases(), tree_cases(), descriptor_cases(), socket_cases(), process_cases(),
                              message_cases(), event_cases(), waiting_cases()})
        for (const generality_case &one : table) all.push_back(&one);
    return all;
}

class generality : public ::testing::TestWithParam<parameter> {
protected:
    void SetUp() override {
        arm_deadline(std::get<1>(GetParam())->name, deadline_s);
        descriptors_ = open_descriptors();
        start_loop();
        if (std::get<0>(GetParam())->needs_ring && (stats_now().engines & LAIO_ENGINE_RING) == 0)
            GTEST_SKIP() << "no io_uring here";
    }
    void TearDown() override {
        EXPECT_EQ(laio_fini(), 0);
        forget_calls();
        EXPECT_EQ(open_descriptors(), descriptors_);
        disarm_deadline();
    }

private:
    std::size_t descriptors_ = 0;
};

TEST_P(generality, gives_what_the_plain_call_gives) {
    const generality_case &played = *std::get<1>(GetParam());
    if (played.uses_nonblocking && !std::get<0>(GetParam())->has_nonblocking())
        GTEST_SKIP() << "LAIO_ASSUME_BLOCKING: no descriptor has O_NONBLOCK";
    const std::string expected = expect_same_as_plain(played.play);
    for (const long number : played.numbers)
        EXPECT_NE(expected.find("call " + std::to_string(number) + "\n"), std::string::npos)
            << "the case does not make call " << number;
    EXPECT_EQ(laio_outstanding(), 0);
}

INSTANTIATE_TEST_SUITE_P(sets, generality,
                         ::testing::Combine(::testing::ValuesIn(chosen_engine_sets()),
                                            ::testing::ValuesIn(all_cases())),
                         [](const auto &one) { return std::string{std::get<1>(one.param)->name}; });

// The issue asks for sixty; a table that shrinks is noticed.
TEST(generality_tables, hold_many_different_calls) {
    std::set<long> numbers;
    std::set<std::string> names;
    for (const generality_case *one : all_cases()) {
        numbers.insert(one->numbers.begin(), one->numbers.end());
        EXPECT_TRUE(names.insert(one->name).second) << one->name;
    }
    EXPECT_GE(numbers.size(), 100U);
}

} // namespace
} // namespace laio::test
