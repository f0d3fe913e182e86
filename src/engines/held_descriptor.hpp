// The descriptor of a call that was left behind, under a number of its own. Where a signal interrupts the call it is made
// again, by the kernel or by us, and by then the application may have given its number to another file.
// Held by the application before it goes on, or by the handler of messages while the application waits for it; let go by the
// thread that was left. Not of a regular file: closing a duplicate would give up the process's fcntl(2) locks on it.
#pragma once

#include <atomic>

namespace laio {

class held_descriptor {
public:
    void reset() { number_.store(none); }                       // before a call is made
    void hold(long call, int descriptor);                       // if the call waits for somebody, and holds nothing yet
    [[nodiscard]] int number() const { return number_.load(); } // negative: none is held
    void let_go();                                              // the call is over

private:
    static constexpr int none = -1;
    static constexpr int over = -2;
    std::atomic<int> number_{over};
};

} // namespace laio
