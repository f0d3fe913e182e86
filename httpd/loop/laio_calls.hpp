// How this server makes a system call that could block: through laio_syscall(). This is the first half of Figure 2 of the
// LAIO paper, written once: a call that went to the background gets an event of libevent's loop (laio_event(3)), which
// names how it goes on; one that is over goes on at once. Pools the events; one for each loop, used on its thread.
#pragma once

#include "reusable.hpp"
#include "task.hpp"

#include <laio/libevent.h>

#include <type_traits>

namespace httpd {

class libevent_multiplexer;

class laio_calls {
public:
    // How a strategy that makes several calls for a task goes on with the outcome of one; `state` is what it gave.
    using step = outcome (*)(laio_calls &calls, task &who, outcome result, void *state);

    // So many calls may be blocked at once; what is beyond that waits for its turn. Throws std::system_error.
    laio_calls(libevent_multiplexer &loop, unsigned disk_concurrency);
    laio_calls(const laio_calls &) = delete;
    laio_calls &operator=(const laio_calls &) = delete;
    ~laio_calls(); // ends the loop of LAIO, whatever is in the background

    // Pointers and numbers, as to syscall(2). The outcome is the task's.
    template <typename... arguments> outcome call(task &who, long number, arguments... args) {
        return in_background_or_done(who, laio_syscall(number, as_register(args)...), nullptr, nullptr);
    }
    // The same, and then `next`, whose outcome is the task's.
    template <typename... arguments>
    outcome call_then(step next, void *state, task &who, long number, arguments... args) {
        return in_background_or_done(who, laio_syscall(number, as_register(args)...), next, state);
    }

private:
    struct in_background;

    template <typename argument> static long as_register(argument value) {
        if constexpr (std::is_null_pointer_v<argument>) return 0;
        else if constexpr (std::is_pointer_v<argument>) return reinterpret_cast<long>(value);
        else return static_cast<long>(value);
    }
    outcome in_background_or_done(task &who, long value, step next, void *state) {
        const outcome result = value == -1 ? outcome::failure(errno) : outcome{value, 0};
        if (result.in_background()) return wait_for(who, next, state);
        return next == nullptr ? result : next(*this, who, result, state);
    }
    outcome wait_for(task &who, step next, void *state);

    libevent_multiplexer &loop_;
    reusable<in_background> pool_;
};

} // namespace httpd
