// Waiting for descriptors, by epoll. The loop's one place to sleep as well: the ring and the carriers wake it through an
// eventfd, the timers through their timerfd, and its own descriptor is laio_fd().
//
// A descriptor's number may be closed and reused behind our back, and its file may live on by a dup(2), with a
// registration that nobody can delete any more. So every wait arms anew (EPOLLONESHOT; EPOLL_CTL_MOD, then ADD), with a
// generation in the event's data, and after an event EPOLL_CTL_MOD or EPOLL_CTL_ADD has to find the registration again before
// anybody touches the descriptor: it finds it only if the number still means the file that was waited for, or one that was waited
// for under this number before, lives on by a dup, and was put back there (dup2(2)) while the wait went on: nobody sees that.
// All that is saved where the application has promised LAIO_CLOSES_TOLD: see start_told() and docs/decisions/0025.
// Owns the three descriptors and the watches; operations are the loop's.
#pragma once

#include "calls/descriptor_map.hpp"
#include "engines/engine.hpp"

#include <cstdint>
#include <time.h>
#include <utility>

namespace laio {

class readiness {
public:
    readiness() = default;
    ~readiness();
    readiness(const readiness &) = delete;
    readiness &operator=(const readiness &) = delete;

    // 0 or a negative errno. `closes_told`: forget() is called before the number of a descriptor that was waited for can mean
    // another file. Then a registration is made once and is edge-triggered, and nothing has to be found again.
    int open(int timer_descriptor, bool closes_told = false);
    [[nodiscard]] int descriptor() const { return epoll_; }
    [[nodiscard]] int alarm() const { return alarm_; } // an eventfd: writing to it wakes the loop

    // Waits for op.descriptor, to read or to write as op.waits_for says. 1: it is one that was not registered before;
    // -EPERM: it is none that can be waited for; -EBADF, -ENOMEM, -ENOSPC (see epoll_ctl(2)).
    int start(operation &op);
    bool cancel(operation &op);
    // Its number is about to be closed, or to mean another file. Never wrong, only a registration more.
    void forget(int descriptor) {
        if (!watches_.empty()) forget_told(descriptor);
    }
    void forget(unsigned first, unsigned last);
    void collect(operation_list &ready); // of what the last sleep() found
    [[nodiscard]] bool has_found() const { return found_ > 0; }
    // Once: the last sleep() found as much as it could take, so that there may be more; events that nobody waits for come
    // many at once.
    bool take_fullness() { return std::exchange(was_full_, false); }

    // Sleeps until something happens, at most for `timeout` (nullptr: no limit). 0, or -EINTR.
    int sleep(const timespec *timeout);

    // Of what collect() gave: operations whose descriptor is not what it was any more.
    operation_list &stale() { return stale_; }

    // A descriptor of its own that is readable when one of those that poll(2) or select(2) asks for is ready, for
    // op.own_descriptor. 0 or a negative errno.
    static int gather(operation &op);

private:
    struct watch {
        int descriptor;
        watch *next_in_bucket;
        std::uint32_t generation;
        operation_list waiters;
        std::uint32_t told;    // the events that it is registered for, edge-triggered, between waits too; 0: it is not
        std::uint32_t trusted; // of these, those whose edge comes whenever what found nothing would find something
        bool doubted;          // a wait was cancelled: perhaps it could not end
    };
    static constexpr int events_max = 64;

    watch *watch_for(int descriptor);
    void drop(watch &w);
    void make_stale(watch &w);
    int arm(const watch &w, int how, std::uint32_t events) const;
    [[nodiscard]] bool is_same_file(const watch &w) const;
    int start_told(watch &w, operation &op, bool found_nothing);
    int tell(watch &w, std::uint32_t events) const;
    void tell_no_more_of_writing(watch &w);
    void forget_told(int descriptor);
    void forget_told(watch &w);
    void dispatch(std::uint64_t key, std::uint32_t events, operation_list &ready);

    int epoll_ = -1;
    int alarm_ = -1;
    std::uint32_t generation_ = 0;
    descriptor_map<watch> watches_;
    watch *unused_ = nullptr;
    operation_list stale_;
    int found_ = 0; // events of the last look that were not dispatched yet
    bool was_full_ = false;
    bool has_pwait2_ = true;
    bool closes_told_ = false;
    alignas(8) unsigned char events_[events_max * 16]; // struct epoll_event, which this header does not show
};

static_assert(engine<readiness>);

} // namespace laio
