// What takes part in a random schedule: something of the kernel's that is used through the library, a step at a time, in an
// order that the dice give. An actor knows what must have come out of its calls, and looks.
//
// A signal without SA_RESTART ends a call in place as it ends a plain one; what begin_again() makes is made again then.
// An actor belongs to the thread that made it, and its memory to its calls until end() returns.
#pragma once

#include "harness.hpp"
#include "stress/dice.hpp"

#include <memory>

namespace laio::test {

class actor {
public:
    actor() = default;
    virtual ~actor() = default;
    actor(const actor &) = delete;
    actor &operator=(const actor &) = delete;

    virtual void act() = 0; // one step; it may begin a call
    virtual void end() = 0; // until its calls are complete; looks at what is left

    // Its calls make descriptors, so completions that get lost are descriptors that do.
    [[nodiscard]] virtual bool makes_descriptors() const { return false; }
};

// Streams of bytes: pipes and sockets, read at one end and written at the other.
std::unique_ptr<actor> make_stream(dice &random);
// Blocks of a file that is in memory or is not, and copies from file to file.
std::unique_ptr<actor> make_blocks(dice &random);
std::unique_ptr<actor> make_copies(dice &random);
// A lock that several want.
std::unique_ptr<actor> make_flock(dice &random);
std::unique_ptr<actor> make_record_lock(dice &random);
// Calls that take their time: sleeps, and waits for futexes, which have no form but the one that blocks.
std::unique_ptr<actor> make_sleeps(dice &random);
std::unique_ptr<actor> make_futexes(dice &random);
// Pipes and names that block until the other side comes.
std::unique_ptr<actor> make_splices(dice &random);
std::unique_ptr<actor> make_fifos(dice &random);
// Connections made, used and closed.
std::unique_ptr<actor> make_connections(dice &random);
// Names made, renamed, looked at and removed.
std::unique_ptr<actor> make_tree(dice &random);

template <class... argument> void begin_again_in(call_record &record, long number, argument... values) {
    do begin_in(record, number, arguments{as_argument(values)...});
    while (record.is_direct() && record.result == outcome{-1, EINTR});
}

template <class... argument> call_record *begin_again(long number, argument... values) {
    for (;;) {
        call_record *call = begin(number, values...);
        if (!call->is_direct() || call->result != outcome{-1, EINTR}) return call;
    }
}

inline void cancel_if_waiting(const call_record *call) {
    if (!call->complete) { EXPECT_EQ(laio_cancel(call->handle), 0); }
}

// Makes descriptors without being interrupted: connect(2) cannot be made again.
class signals_held {
public:
    signals_held();
    ~signals_held();
    signals_held(const signals_held &) = delete;
    signals_held &operator=(const signals_held &) = delete;

private:
    sigset_t before_{};
};

} // namespace laio::test
