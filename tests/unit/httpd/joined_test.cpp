// Requests that are joined: who makes them, who is told, and in which order, whatever a waiter does when it is told.
#include "cache/joined.hpp"

#include "cache/name_hash.hpp"
#include "fuzz/dice.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace httpd {
namespace {

using lookups = joined<std::string, int, name_hash>;

class client final : public joined_waiter<int> {
public:
    void delivered(const int &result) override {
        results.push_back(result);
        if (then) then();
    }
    std::vector<int> results;
    std::function<void()> then;
};

TEST(joined, the_first_makes_the_request_and_all_have_its_outcome) {
    lookups names;
    client a, b, c;
    EXPECT_TRUE(names.join("x", a));
    EXPECT_FALSE(names.join(std::string_view("x"), b));
    EXPECT_TRUE(names.join(std::string("y"), c));
    EXPECT_EQ(names.under_way(), 2U);

    EXPECT_EQ(names.deliver("x", 7), 2U);
    EXPECT_EQ(a.results, std::vector{7});
    EXPECT_EQ(b.results, std::vector{7});
    EXPECT_TRUE(c.results.empty());
    EXPECT_FALSE(a.waiting());
    EXPECT_TRUE(c.waiting());
    EXPECT_EQ(names.made(), 2U);
    EXPECT_EQ(names.shared(), 1U);
    names.deliver("y", 8);
    EXPECT_EQ(names.under_way(), 0U);
}

TEST(joined, after_the_outcome_there_is_a_new_request) {
    lookups names;
    client a;
    EXPECT_TRUE(names.join("x", a));
    names.deliver("x", 1);
    EXPECT_TRUE(names.join("x", a));
    names.deliver("x", 2);
    EXPECT_EQ(a.results, (std::vector{1, 2}));
}

TEST(joined, an_outcome_that_nobody_asked_for_goes_to_nobody) {
    lookups names;
    EXPECT_EQ(names.deliver("x", 1), 0U);
    EXPECT_FALSE(names.wanted("x"));
}

TEST(joined, who_gave_up_is_not_told_and_the_others_are) {
    lookups names;
    client a, b;
    names.join("x", a);
    names.join("x", b);
    a.leave();
    EXPECT_FALSE(a.waiting());
    a.leave(); // once more does no harm
    EXPECT_EQ(names.deliver("x", 1), 1U);
    EXPECT_TRUE(a.results.empty());
    EXPECT_EQ(b.results, std::vector{1});
}

TEST(joined, who_is_destroyed_is_not_told) {
    lookups names;
    auto a = std::make_unique<client>();
    client b;
    names.join("x", *a);
    names.join("x", b);
    a.reset();
    EXPECT_EQ(names.deliver("x", 1), 1U);
}

TEST(joined, a_request_that_all_left_is_still_under_way_and_can_be_joined) {
    lookups names;
    client a, b;
    names.join("x", a);
    EXPECT_TRUE(names.wanted("x"));
    a.leave();
    EXPECT_FALSE(names.wanted("x"));
    EXPECT_EQ(names.under_way(), 1U);
    EXPECT_FALSE(names.join("x", b));
    EXPECT_EQ(names.deliver("x", 5), 1U);
    EXPECT_EQ(b.results, std::vector{5});
}

TEST(joined, all_are_told_in_the_order_in_which_they_joined) {
    lookups names;
    std::vector<int> order;
    std::vector<client> clients(5);
    for (int i = 0; i < 5; ++i) {
        clients[static_cast<std::size_t>(i)].then = [&order, i] { order.push_back(i); };
        names.join("x", clients[static_cast<std::size_t>(i)]);
    }
    names.deliver("x", 1);
    EXPECT_EQ(order, (std::vector{0, 1, 2, 3, 4}));
}

TEST(joined, who_asks_again_when_told_makes_a_new_request_that_others_join) {
    lookups names;
    client a, b;
    std::vector<bool> first;
    a.then = [&] { first.push_back(names.join("x", a)); };
    b.then = [&] { first.push_back(names.join("x", b)); };
    names.join("x", a);
    names.join("x", b);
    EXPECT_EQ(names.deliver("x", 1), 2U);
    EXPECT_EQ(first, (std::vector{true, false}));
    a.then = b.then = nullptr;
    EXPECT_EQ(names.deliver("x", 2), 2U);
    EXPECT_EQ(b.results, (std::vector{1, 2}));
}

TEST(joined, a_waiter_that_is_told_may_end_others_and_itself) {
    lookups names;
    auto a = std::make_unique<client>();
    auto b = std::make_unique<client>();
    client c;
    names.join("x", *a);
    names.join("x", *b);
    names.join("x", c);
    a->then = [&] {
        b.reset();
        const auto last_act = std::move(a->then); // lives until this ends
        a.reset();
    };
    EXPECT_EQ(names.deliver("x", 1), 2U);
    EXPECT_EQ(a, nullptr);
    EXPECT_EQ(c.results, std::vector{1});
}

TEST(joined, may_be_destroyed_while_it_tells) {
    auto names = std::make_unique<lookups>();
    client a, b;
    names->join("x", a);
    names->join("x", b);
    a.then = [&] { names.reset(); };
    EXPECT_EQ(names->deliver("x", 1), 2U);
    EXPECT_EQ(b.results, std::vector{1});
}

TEST(joined, waiters_may_outlive_it) {
    client a;
    {
        lookups names;
        names.join("x", a);
    }
    EXPECT_FALSE(a.waiting());
    a.leave();
}

TEST(joined, takes_other_keys) {
    joined<int, std::string> ranges;
    class : public joined_waiter<std::string> {
    public:
        void delivered(const std::string &result) override { text = result; }
        std::string text;
    } reader;
    EXPECT_TRUE(ranges.join(3, reader));
    ranges.deliver(3, "all here");
    EXPECT_EQ(reader.text, "all here");
}

TEST(joined, waiting_for_two_things_is_a_mistake_of_the_program) {
    lookups names;
    client a;
    names.join("x", a);
    EXPECT_DEATH(names.join("y", a), "");
}

// Against a map of vectors. Clients give up, are destroyed and made anew at random, also while others are told.
class joined_history {
public:
    explicit joined_history(std::uint64_t seed) : random_(seed) {
        for (int i = 0; i < clients; ++i) renew(i);
    }

    void run(int steps) {
        for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) step();
        EXPECT_EQ(names_.under_way(), model_.size());
    }

private:
    static constexpr int clients = 30;
    client &of(int who) { return *clients_[static_cast<std::size_t>(who)]; }
    int anyone() { return static_cast<int>(random_.below(clients)); }

    void step() {
        const int who = anyone();
        const auto name = std::string(1, static_cast<char>('a' + random_.below(6)));
        switch (random_.below(6)) {
        case 0: return leave(who);
        case 1: return deliver(name);
        default:
            ASSERT_EQ(of(who).waiting(), waits(who));
            if (waits(who)) return;
            ASSERT_EQ(names_.join(name, of(who)), !model_.contains(name));
            model_[name].push_back(who);
        }
    }

    bool waits(int who) {
        for (const auto &[name, waiting] : model_)
            if (std::find(waiting.begin(), waiting.end(), who) != waiting.end()) return true;
        return false;
    }

    void leave(int who) {
        if (random_.one_in(2)) of(who).leave();
        else renew(who);
        for (auto &[name, waiting] : model_) std::erase(waiting, who);
        std::erase(expected_, who);
    }

    void renew(int who) {
        clients_[static_cast<std::size_t>(who)] = std::make_unique<client>();
        of(who).then = [this, who] {
            told_.push_back(who);
            std::erase(expected_, who);
            order_is_right_ &= std::find(told_.begin(), told_.end(), who) == told_.end() - 1;
            if (const int other = anyone(); other != who && random_.one_in(3)) leave(other);
        };
    }

    void deliver(const std::string &name) {
        expected_ = model_[name];
        model_.erase(name);
        told_.clear();
        const auto all = expected_;
        names_.deliver(name, 1);
        ASSERT_TRUE(expected_.empty()) << "somebody was not told";
        ASSERT_TRUE(order_is_right_);
        auto place = all.begin(); // told in order, those missing who left in between
        for (const int who : told_) {
            place = std::find(place, all.end(), who);
            ASSERT_NE(place, all.end());
        }
    }

    laio::test::dice random_;
    lookups names_;
    std::vector<std::unique_ptr<client>> clients_{clients};
    std::map<std::string, std::vector<int>> model_;
    std::vector<int> expected_, told_;
    bool order_is_right_ = true; // nobody twice
};

TEST(joined, does_what_a_map_of_vectors_does) {
    const auto first = laio::test::from_environment("LAIO_FUZZ_SEED", 1);
    for (auto seed = first; seed < first + 20 && !testing::Test::HasFailure(); ++seed) {
        SCOPED_TRACE("LAIO_FUZZ_SEED=" + std::to_string(seed));
        joined_history(seed).run(3000);
    }
}

} // namespace
} // namespace httpd
