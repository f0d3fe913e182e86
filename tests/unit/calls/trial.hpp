// A call on trial: attempted as a loop attempts it, so that its outcome can be compared with the plain call's. One
// thread. Owns the operation; what the call passes by reference is the test's.
#pragma once

#include "calls/attempt.hpp"
#include "calls/pool.hpp"
#include "calls/transfer.hpp"
#include "laio/laio.h"

#include <climits>
#include <gtest/gtest.h>
#include <ostream>
#include <poll.h>
#include <string>
#include <type_traits>

namespace laio {

inline const char *name_of(until what) {
    constexpr const char *names[] = {"nothing",          "readable", "writable", "carrier",
                                     "readable_carrier", "ring",     "time",     "descriptors"};
    return names[static_cast<std::size_t>(what)];
}

inline bool operator==(const outcome &one, const outcome &other) {
    return one.waits_for == other.waits_for && one.result == other.result;
}

inline void PrintTo(const outcome &what, std::ostream *to) { // NOLINT(readability-identifier-naming): GoogleTest's
    if (what.waits_for == until::nothing) *to << "done: " << what.result;
    else *to << "waits for " << name_of(what.waits_for);
}

} // namespace laio

namespace laio::test {

// A number, a pointer, an array, or an owner of a descriptor, as an argument of a call.
template <class argument> long as_word(const argument &value) {
    if constexpr (std::is_null_pointer_v<argument>) return 0;
    else if constexpr (std::is_pointer_v<argument> || std::is_array_v<argument>) return word(value);
    else if constexpr (std::is_class_v<argument>) return static_cast<int>(value);
    else return static_cast<long>(value);
}

// The call without this library: its result, or a negative errno.
template <class... arguments> long plain(long number, const arguments &...values) {
    return system_call(number, as_word(values)...);
}

inline surroundings make_world(std::uint32_t forbidden = 0) {
    surroundings world{};
    world.has = ask_features(forbidden);
    return world;
}

// For tests of reads and writes, which have a second way where RWF_NOWAIT is not to be had.
inline surroundings make_world_with_nowait(bool nowait) { return make_world(nowait ? 0 : LAIO_FORBID_NOWAIT); }
inline std::string name_of_world(const testing::TestParamInfo<bool> &info) {
    return info.param ? "with_nowait" : "without_nowait";
}

constexpr long never = LONG_MIN; // what trial::finish() returns for a call that waits for what does not come

class trial {
public:
    template <class... arguments>
    trial(surroundings &world, long number, const arguments &...values) : world_{world}, pool_{1}, op_{*pool_.take()} {
        const long words[6] = {as_word(values)...};
        prepare(op_, *find_row(number), number, words);
    }
    ~trial() { release(op_); }
    trial(const trial &) = delete;
    trial &operator=(const trial &) = delete;

    // The first time in the foreground, and on its way to the background if it would block; then as the loop goes on.
    outcome attempt() {
        const outcome next = laio::attempt(op_, world_);
        if (next.waits_for == until::nothing) return next;
        if (op_.now == state::free) {
            EXPECT_EQ(capture(op_), 0);
            enter(op_, state::waiting);
        }
        op_.waits_for = next.waits_for;
        return next;
    }

    // From where it is to its result, by the simplest engine there could be.
    long go_on() {
        for (;;) {
            switch (op_.waits_for) {
            case until::readable:
            case until::writable:
                if (!is_ready_soon(op_.waits_for == until::readable ? POLLIN : POLLOUT)) return never;
                break;
            case until::readable_carrier:
                if (!is_ready_soon(POLLIN)) return never;
                return carry();
            case until::carrier:
            case until::ring: return carry();
            default: return never;
            }
            const outcome next = attempt();
            if (next.waits_for == until::nothing) return next.result;
        }
    }

    long finish() {
        const outcome next = attempt();
        return next.waits_for == until::nothing ? next.result : go_on();
    }

    operation &op() { return op_; }

private:
    [[nodiscard]] bool is_ready_soon(short events) const {
        pollfd item{op_.descriptor, events, 0};
        return poll(&item, 1, 10'000) == 1; // to end a hang
    }

    long carry() {
        const call rest = rest_as_call(op_);
        const auto &a = rest.a;
        const long r = system_call(rest.number, a[0], a[1], a[2], a[3], a[4], a[5]);
        return total(op_, r);
    }

    surroundings &world_;
    pool pool_;
    operation &op_;
};

template <class... arguments> outcome attempt_of(surroundings &world, long number, const arguments &...values) {
    return trial{world, number, values...}.attempt();
}

} // namespace laio::test
