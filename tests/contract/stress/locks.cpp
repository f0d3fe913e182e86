// One lock and several who want it: it never has two holders, and nobody waits for ever. flock(2), and records of fcntl(2).
#include "stress/actor.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace laio::test {
namespace {

template <bool of_records> class lock final : public actor {
public:
    explicit lock(dice &random) : random_{&random} {
        files_.file("lock", "");
        for (contender &one : all_) one.own = descriptor{open(files_.path("lock").c_str(), O_RDWR | O_CLOEXEC)};
    }

    void act() override {
        int holders = 0;
        for (contender &one : all_) {
            settle(one);
            holders += one.holds ? 1 : 0;
        }
        EXPECT_LE(holders, 1);
        contender &chosen = all_[random_->below(all_.size())];
        if (chosen.holds) {
            EXPECT_EQ(unlock(chosen), (outcome{0, 0}));
            chosen.holds = false;
        } else if (chosen.call == nullptr) {
            chosen.call = ask(chosen);
        } else if (random_->one_in(4)) {
            cancel_if_waiting(chosen.call);
        }
    }

    void end() override {
        for (std::size_t waiting = 1; waiting > 0;) {
            waiting = 0;
            for (contender &one : all_) {
                settle(one);
                if (one.holds) {
                    EXPECT_EQ(unlock(one), (outcome{0, 0}));
                    one.holds = false;
                }
                waiting += one.call != nullptr ? 1 : 0;
            }
            if (waiting > 0) collect(-1);
        }
    }

private:
    struct contender {
        descriptor own;
        call_record *call = nullptr;
        bool holds = false;
    };

    static call_record *ask(const contender &one) {
        if constexpr (!of_records) return begin_again(SYS_flock, one.own.get(), LOCK_EX);
        return begin_again(SYS_fcntl, one.own.get(), F_OFD_SETLKW, &writers);
    }
    static outcome unlock(const contender &one) {
        if constexpr (!of_records) return finish(begin_again(SYS_flock, one.own.get(), LOCK_UN));
        return finish(begin_again(SYS_fcntl, one.own.get(), F_OFD_SETLK, &nobodys));
    }

    static void settle(contender &one) {
        if (one.call == nullptr || !one.call->complete) return;
        EXPECT_TRUE(one.call->result == (outcome{0, 0}) || one.call->result == (outcome{-1, ECANCELED}))
            << one.call->result;
        one.holds = one.call->result.value == 0;
        one.call = nullptr;
    }

    static inline struct flock writers { F_WRLCK, SEEK_SET, 0, 0, 0 };
    static inline struct flock nobodys { F_UNLCK, SEEK_SET, 0, 0, 0 };
    dice *random_;
    directory files_;
    std::array<contender, 4> all_;
};

} // namespace

std::unique_ptr<actor> make_flock(dice &random) { return std::make_unique<lock<false>>(random); }
std::unique_ptr<actor> make_record_lock(dice &random) { return std::make_unique<lock<true>>(random); }

} // namespace laio::test
