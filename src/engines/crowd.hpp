// Steps of sendfile(2) and splice(2) to sockets that have much queued already, while the kernel is short of memory for TCP.
// There a send waits whatever room its socket has, and would hold a carrier until some receiver reads: a few may, the others
// wait here until one of those is over. A socket with little queued gets what it needs even then, so that whoever sends to
// one never waits behind the crowd. The loop's thread only.
// Lost: queueing less from the start. How much is too much follows from what all the processes of the machine send.
#pragma once

#include "calls/operation.hpp"
#include "kernel/tcp_memory.hpp"

namespace laio {

class crowd {
public:
    // Whether a step is to wait; then hold() it.
    bool must_wait(const operation &op) { return op.crowded && blocked_ >= blocked_max && memory_.is_short(); }
    void hold(operation &op);
    void remove(operation &op); // that waits here

    // A step was given to somebody who may block; it is over.
    void began(operation &op);
    void ended(operation &op);
    // One whose turn has come, or nullptr.
    operation *next();

private:
    static constexpr unsigned blocked_max = 8;

    tcp_memory memory_;
    operation_list held_;
    unsigned blocked_ = 0;
};

} // namespace laio
