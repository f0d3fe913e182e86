// Lazy for every call: each row of the library's table that can be made to return at once does, in place, in every set with
// activations; with the result that the plain call has. Every call is in a case of generality/ or laziness/, or in the list of
// those that no test may make.
//
// A call that the kernel lets sleep for a moment (a contended lock, a page fault) may go to the background: so a case is played
// up to five times, and each of its calls has to return directly in one of them. The results have to be right always. The
// files are in memory where they can be: removing one from a disk may well wait for the disk.
#include "laziness/cases.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <set>
#include <unistd.h>

namespace laio::test {
namespace {

constexpr int tries_max = 5;

std::vector<const generality_case *> all_cases() {
    std::vector<const generality_case *> all;
    for (const auto &table :
         {file_cases(), tree_cases(), descriptor_cases(), socket_cases(), process_cases(), message_cases(),
          event_cases(), lazy_file_cases(), lazy_mount_cases(), lazy_memory_cases(), lazy_event_cases(),
          lazy_time_cases(), lazy_process_cases(), lazy_thread_cases(), lazy_identity_cases(), lazy_system_cases()})
        for (const generality_case &one : table)
            if (!one.only_waits) all.push_back(&one);
    return all;
}

std::string name_of_call(long number) {
    for (const numbered_call &one : native_calls)
        if (one.number == number) return std::string{one.name};
    return std::to_string(number);
}

using parameter = std::tuple<const engine_set *, const generality_case *>;

// Where directories are made from now on.
class files_in_memory {
public:
    files_in_memory() {
        if (const char *before = std::getenv(variable); before != nullptr) before_ = before;
        if (access("/dev/shm", W_OK) == 0) setenv(variable, "/dev/shm", 1);
    }
    ~files_in_memory() {
        if (before_) setenv(variable, before_->c_str(), 1);
        else unsetenv(variable);
    }
    files_in_memory(const files_in_memory &) = delete;
    files_in_memory &operator=(const files_in_memory &) = delete;

private:
    static constexpr const char *variable = "LAIO_TEST_DIR";
    std::optional<std::string> before_;
};

class every_call : public ::testing::TestWithParam<parameter> {
protected:
    void SetUp() override {
        arm_deadline(std::get<1>(GetParam())->name, deadline_s);
        start_loop();
        EXPECT_EQ(done(SYS_access, "/", 0), (outcome{0, 0})); // activations are made by the first call that needs them
        if (const std::string reason = why_not_in_place(); !reason.empty()) GTEST_SKIP() << reason;
        if (std::get<0>(GetParam())->needs_ring && (stats_now().engines & LAIO_ENGINE_RING) == 0)
            GTEST_SKIP() << "no io_uring here";
    }
    void TearDown() override {
        EXPECT_EQ(laio_fini(), 0);
        forget_calls();
        disarm_deadline();
    }

private:
    files_in_memory place_;
};

TEST_P(every_call, returns_directly) {
    const auto &[set, played] = GetParam();
    if (played->uses_nonblocking && !set->has_nonblocking())
        GTEST_SKIP() << "LAIO_ASSUME_BLOCKING: no descriptor has O_NONBLOCK";
    const auto is_about = [&](long number) { return std::ranges::count(played->numbers, number) > 0; };
    if (set->refused == refusal::ring_kills && is_about(SYS_io_uring_setup))
        GTEST_SKIP() << "the filter of this set ends whoever calls io_uring_setup(2)";
    if (set->refused == refusal::old_kernel && is_about(SYS_epoll_pwait2))
        GTEST_SKIP() << "epoll_pwait2(2) is not in this set's kernel; the library does without it what it does";
    std::vector<bool> was_direct;
    std::vector<stage::step> steps;
    for (int tries = 0; tries < tries_max; ++tries) {
        const std::string expected = play_plainly(played->play);
        stage lazy{stage::way::lazy};
        played->play(lazy);
        ASSERT_EQ(lazy.transcript(), expected);
        steps = lazy.steps();
        was_direct.resize(steps.size(), false);
        for (std::size_t index = 0; index < steps.size(); ++index)
            if (steps[index].is_direct || steps[index].may_wait) was_direct[index] = true;
        if (std::ranges::find(was_direct, false) == was_direct.end()) break;
    }
    std::set<long> made;
    for (std::size_t index = 0; index < steps.size(); ++index) {
        EXPECT_TRUE(was_direct[index]) << name_of_call(steps[index].number) << ", step " << index
                                       << " of the case, went to the background each time";
        if (!steps[index].may_wait) made.insert(steps[index].number);
    }
    for (const long number : played->numbers)
        EXPECT_TRUE(made.contains(number)) << "the case makes no " << name_of_call(number) << " that returns at once";
    EXPECT_EQ(laio_outstanding(), 0);
}

INSTANTIATE_TEST_SUITE_P(sets, every_call,
                         ::testing::Combine(::testing::ValuesIn(chosen_engine_sets()),
                                            ::testing::ValuesIn(all_cases())),
                         [](const auto &one) { return std::string{std::get<1>(one.param)->name}; });

TEST(every_call_table, forgets_none) {
    std::set<long> staged;
    for (const generality_case *one : all_cases()) staged.insert(one->numbers.begin(), one->numbers.end());
    std::set<std::string_view> exempt;
    for (const exempt_call &one : exempt_calls()) {
        EXPECT_FALSE(one.reason.empty()) << one.name;
        exempt.insert(one.name);
    }
    for (const numbered_call &one : native_calls)
        EXPECT_NE(staged.contains(one.number), exempt.contains(one.name))
            << one.name << (staged.contains(one.number) ? " is staged and exempt" : " is neither staged nor exempt");
}

} // namespace
} // namespace laio::test
