// Random schedules of everything at once: streams, files, locks, sleeps, connections, names (stress/). They print their
// seed, and LAIO_TEST_SEED repeats it.
//
// What must hold at any time: every call completes exactly once (the harness looks), with the right result and the right
// bytes (the actors look), and nothing hangs. `storm` runs several loops in several threads, in bad weather, for
// LAIO_STRESS_SECONDS, default 2.
#include "stress/actor.hpp"
#include "stress/weather.hpp"

#include <cstdlib>
#include <memory>
#include <sys/epoll.h>
#include <thread>
#include <vector>

namespace laio::test {
namespace {

constexpr int steps = sanitized ? 4000 : 20000;
constexpr std::size_t loops = 3;

using make_actor = std::unique_ptr<actor> (*)(dice &);

struct part {
    make_actor make;
    std::size_t weight; // how often it acts
};

constexpr std::array parts{
    part{make_stream, 12}, part{make_stream, 12}, part{make_stream, 12},     part{make_stream, 12},
    part{make_stream, 12}, part{make_stream, 12}, part{make_blocks, 10},     part{make_copies, 4},
    part{make_flock, 8},   part{make_sleeps, 2},  part{make_record_lock, 8}, part{make_futexes, 10},
    part{make_splices, 8}, part{make_fifos, 8},   part{make_connections, 8}, part{make_tree, 12},
};

// All parts on one loop.
class play {
public:
    explicit play(dice &random) : random_{&random} {
        for (const part &one : parts) {
            actors_.push_back(one.make(random));
            for (std::size_t count = 0; count < one.weight; ++count) cast_.push_back(actors_.size() - 1);
        }
    }

    void step() {
        if (random_->one_in(8)) return look();
        const std::size_t chosen = cast_[random_->below(cast_.size())];
        if (random_->one_in(100)) {
            actors_[chosen]->end();
            actors_[chosen] = parts[chosen].make(*random_);
        } else {
            actors_[chosen]->act();
        }
    }
    void end() {
        for (const auto &one : actors_) one->end();
        finish_all();
        EXPECT_EQ(collect(0), 0);
        const struct laio_stats stats = stats_now();
        EXPECT_EQ(stats.outstanding, 0U);
        EXPECT_EQ(stats.ring_in_flight, 0U);
        EXPECT_EQ(stats.queue_depth, 0U);
    }
    // In the midst of it; the actors' memory is still there.
    void give_up() {
        for (const auto &one : actors_)
            if (one->makes_descriptors()) one->end();
        EXPECT_EQ(laio_fini(), 0);
    }

private:
    void look() {
        const int length = 1 + static_cast<int>(random_->below(16));
        EXPECT_GE(collect(random_->one_in(8) ? 1 : 0, length), 0);
    }

    dice *random_;
    std::vector<std::unique_ptr<actor>> actors_;
    std::vector<std::size_t> cast_; // an actor's index, as often as its weight says
};

class stress : public contract_test {};

TEST_P(stress, everything_at_once) {
    dice random{seed()};
    play all{random};
    for (int step = 0; step < steps && !HasFailure(); ++step) all.step();
    all.end();
}

// Waits for the loop in an epoll of its own, as another event loop would, and takes what there is.
void look_from_outside(const descriptor &epoll, dice &random) {
    epoll_event event{};
    if (epoll_wait(epoll.get(), &event, 1, random.one_in(4) ? 1 : 0) == 1)
        collect(0, 1 + static_cast<int>(random.below(16)));
}

// One loop after another, with few carriers or many, which end soon or late, until the time is over.
void run_loops(std::uint64_t own_seed, std::chrono::steady_clock::time_point until) {
    dice random{own_seed};
    weather::let_signals_in();
    while (std::chrono::steady_clock::now() < until && !::testing::Test::HasFailure()) {
        laio_options options = options_of_set();
        if (random.one_in(2)) options.carriers_max = 2 + static_cast<std::uint32_t>(random.below(8));
        if (random.one_in(2)) options.carrier_idle_ms = 1 + static_cast<std::uint32_t>(random.below(8));
        ASSERT_EQ(laio_init(&options), 0) << strerror(errno);
        {
            descriptor epoll;
            if (random.one_in(2)) {
                epoll = descriptor{epoll_create1(EPOLL_CLOEXEC)};
                epoll_event event{.events = EPOLLIN, .data = {}};
                EXPECT_EQ(epoll_ctl(epoll.get(), EPOLL_CTL_ADD, laio_fd(), &event), 0);
            }
            play all{random};
            for (int step = 0; step < 3000 && !::testing::Test::HasFailure(); ++step) {
                all.step();
                if (epoll.get() >= 0 && random.one_in(8)) look_from_outside(epoll, random);
            }
            if (random.one_in(4)) all.give_up();
            else all.end();
        }
        EXPECT_EQ(laio_fini(), 0);
        forget_calls();
    }
    weather::keep_signals_out();
}

std::chrono::seconds asked_duration() {
    const char *asked = std::getenv("LAIO_STRESS_SECONDS");
    return std::chrono::seconds{asked != nullptr ? std::strtol(asked, nullptr, 10) : 2};
}

TEST_P(stress, storm) {
#if defined(__SANITIZE_THREAD__)
    GTEST_SKIP()
        << "the thread sanitizer does not see closes through the library: it takes the next file of that number, "
           "in another thread, for the same";
#endif
    const std::chrono::seconds duration = asked_duration();
    arm_deadline("stress.storm", deadline_s + static_cast<unsigned>(duration.count()));
    const auto until = std::chrono::steady_clock::now() + duration;
    const std::uint64_t first_seed = seed();
    {
        const weather disturbing{first_seed};
        std::vector<std::thread> threads;
        for (std::size_t index = 1; index <= loops; ++index)
            threads.emplace_back([=] { run_loops(first_seed + index, until); });
        for (std::thread &one : threads) one.join();
        EXPECT_GT(weather::signals_seen(), 0U);
    }
    weather::let_signals_in();
}

LAIO_CONTRACT_SUITE(stress);

} // namespace
} // namespace laio::test
