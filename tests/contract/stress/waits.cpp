// Calls that take their time: sleeps on timers, and waits for futexes. futex_waitv(2) has no form but the one that blocks:
// where there are activations it is made in place and left behind, and beyond the bound of the carriers it is queued.
#include "stress/actor.hpp"

#include <climits>
#include <deque>
#include <linux/futex.h>

namespace laio::test {
namespace {

class sleeps final : public actor {
public:
    explicit sleeps(dice &random) : random_{&random} {}

    void act() override {
        while (!all_.empty() && all_.front()->complete) settle();
        if (all_.size() > 40) return;
        const timespec time{0, static_cast<long>(random_->below(2000000))}; // the library copies it
        all_.push_back(begin_again(SYS_nanosleep, &time, nullptr));
        if (random_->one_in(4)) cancel_if_waiting(all_.back());
    }
    void end() override {
        while (!all_.empty()) {
            finish(all_.front());
            settle();
        }
    }

private:
    void settle() {
        const outcome &result = all_.front()->result;
        EXPECT_TRUE(result == (outcome{0, 0}) || result == (outcome{-1, ECANCELED})) << result;
        all_.pop_front();
    }

    dice *random_;
    std::deque<call_record *> all_;
};

// Words that calls wait for, and that are set in another order. Who comes to wait after that gets EAGAIN.
class futexes final : public actor {
public:
    explicit futexes(dice &random) : random_{&random} {
        for (wait &one : all_) {
            one.list.val = 0;
            one.list.uaddr = reinterpret_cast<std::uintptr_t>(&one.word);
            one.list.flags = FUTEX_32 | FUTEX_PRIVATE_FLAG;
        }
    }

    void act() override {
        wait &one = all_[random_->below(all_.size())];
        if (one.call.complete) {
            settle(one);
            __atomic_store_n(&one.word, 0U, __ATOMIC_SEQ_CST);
            begin_again_in(one.call, SYS_futex_waitv, &one.list, 1, 0, nullptr, CLOCK_MONOTONIC);
            one.began = true;
            one.was_cancelled = false;
        } else if (random_->one_in(6)) {
            one.was_cancelled = true;
            cancel_if_waiting(&one.call);
        } else {
            release(one);
        }
    }
    void end() override {
        for (wait &one : all_)
            if (!one.call.complete) release(one);
        for (wait &one : all_) {
            finish(&one.call);
            settle(one);
        }
    }

private:
    struct wait {
        std::uint32_t word = 0;
        futex_waitv list{};
        call_record call{.complete = true};
        bool began = false;
        bool was_cancelled = false;
    };

    static void release(wait &one) {
        __atomic_store_n(&one.word, 1U, __ATOMIC_SEQ_CST);
        EXPECT_GE(plain(SYS_futex, &one.word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0).value, 0);
    }
    static void settle(wait &one) {
        if (!one.began) return;
        one.began = false;
        const outcome &result = one.call.result;
        const bool is_released = result == outcome{0, 0} || result == outcome{-1, EAGAIN};
        EXPECT_TRUE(is_released || (one.was_cancelled && result == outcome{-1, ECANCELED})) << result;
    }

    dice *random_;
    std::array<wait, 12> all_;
};

} // namespace

std::unique_ptr<actor> make_sleeps(dice &random) { return std::make_unique<sleeps>(random); }
std::unique_ptr<actor> make_futexes(dice &random) { return std::make_unique<futexes>(random); }

} // namespace laio::test
