// The loop waits in a ring of io_uring: one system call a turn submits all that the turn asked for, waits, and brings what
// has completed.
#pragma once

#include "loop/multiplexer.hpp"
#include "loop/uring.hpp"

namespace httpd {

class uring_multiplexer final : public multiplexer {
public:
    explicit uring_multiplexer(unsigned workers) : ring_(workers), readability_(ring_) {}
    ~uring_multiplexer() override;

    uring &ring() { return ring_; }

    void wait(std::int64_t timeout_ns) override;
    outcome readable(task &who, int descriptor) override { return readability_.wait_for(who, descriptor); }

private:
    class readability final : public background_work, public uring_client {
    public:
        explicit readability(uring &ring) : ring_(ring) {}
        outcome wait_for(task &who, int descriptor);
        void cancel() override { ring_.cancel(*this, 0); }
        void completed(unsigned which, int result) override;

    private:
        uring &ring_;
    };

    uring ring_;
    readability readability_;
};

} // namespace httpd
