// The loop goes on being served while file operations take 100 ms: a clock that ticks every millisecond is read beside them,
// and the largest gap between two ticks is at most three times what it is without other calls, and 3 ms (ticker.hpp).
//
// The tables printed are of the attempts that counted; "plain" is the gap when the same call is made by syscall(), which has
// to break the rule.
#include "fixture.hpp"

#include <algorithm>

namespace laio::test {
namespace {

constexpr unsigned at_once = 8;

class ticker_beside_slow_files : public slow_files_test {
protected:
    void SetUp() override {
        slow_files_test::SetUp();
        arm_deadline("ticker_beside_slow_files", 3 * deadline_s); // on a busy machine there are many attempts
    }

    // The calls beside the ticker, a further one in each turn of the loop until all are made.
    gaps measure(const std::vector<played> &all) {
        ticker clock;
        gaps found{};
        found.alone_ns = clock.largest_gap_ns(slow_ms);
        for (const played &one : all) files().take(one.call->answer, slow_ms);
        const slow_call &first = *all.front().call;
        const std::uint32_t arrived = files().calls(first.answer);
        const std::int64_t began_ns = now_ns();
        std::vector<call_record *> calls;
        found.beside_ns = clock.largest_gap_ns([&] {
            if (calls.size() < all.size()) {
                calls.push_back(all[calls.size()].begin());
                return false;
            }
            return std::all_of(calls.begin(), calls.end(), [](const call_record *one) { return one->complete; });
        });
        // A close that was left behind and interrupted has closed: it waits for nothing any more.
        if (std::string_view{first.name} != "close") {
            EXPECT_GE(now_ns() - began_ns, slow_ns) << first.name << " was not slow";
        }
        EXPECT_GT(files().calls(first.answer), arrived) << first.name << " did not arrive";
        files().release();
        for (std::size_t one = 0; one < all.size(); ++one) {
            EXPECT_GE(calls[one]->result.value, 0) << all[one].call->name << ": " << calls[one]->result;
            found.blocked += calls[one]->is_direct() ? 0 : 1;
            all[one].clean_up(calls[one]->result);
        }
        return found;
    }

    std::optional<gaps> measure_best(const slow_call &call, unsigned count) {
        return best_of([&] {
            std::vector<played> all;
            for (unsigned one = 0; one < count; ++one) all.push_back(play(call));
            return measure(all);
        });
    }

    std::int64_t gap_of_plain_ns(const slow_call &call) {
        const played one = play(call);
        ticker clock;
        files().take(call.answer, slow_ms);
        outcome result{-1, 0};
        bool is_made = false;
        const std::int64_t gap_ns = clock.largest_gap_ns([&] {
            if (is_made) return true;
            result = one.plain();
            is_made = true;
            return false;
        });
        files().release();
        one.clean_up(result);
        return gap_ns;
    }
};

TEST_P(ticker_beside_slow_files, ticks_on_beside_one_call) {
    print_head(true);
    bool is_told = true;
    for (const slow_call &call : slow_calls()) {
        const std::int64_t plain_ns = gap_of_plain_ns(call);
        EXPECT_GE(plain_ns, slow_ns) << call.name;
        is_told = expect_good(call.name, measure_best(call, 1), 1, plain_ns) && is_told;
    }
    if (!is_told && !HasFailure()) GTEST_SKIP() << "this machine is too busy to tell of every call";
}

TEST_P(ticker_beside_slow_files, ticks_on_beside_several_calls) {
    print_head();
    bool is_told = true;
    for (const slow_call &call : slow_calls())
        is_told = expect_good(call.name, measure_best(call, at_once), at_once) && is_told;
    if (!is_told && !HasFailure()) GTEST_SKIP() << "this machine is too busy to tell of every call";
}

TEST_P(ticker_beside_slow_files, ticks_on_beside_all_calls_at_once) {
    print_head();
    const std::optional<gaps> found = best_of([&] { return measure(play_each()); });
    if (!expect_good("all of them", found, slow_calls().size()) && !HasFailure())
        GTEST_SKIP() << "this machine is too busy to tell";
}

LAIO_CONTRACT_SUITE(ticker_beside_slow_files);

} // namespace
} // namespace laio::test
