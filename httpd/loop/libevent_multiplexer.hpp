// The event base of libevent, which all versions but io_uring's wait in. Registrations are made for one event each and are
// gathered until the next wait (libevent's change list), so that one which is made again at once costs no system call.
#pragma once

#include "loop/multiplexer.hpp"

#include <event2/event_struct.h>

#include <memory>

namespace httpd {

class libevent_multiplexer : public multiplexer {
public:
    libevent_multiplexer(); // throws std::system_error

    event_base *base() const { return base_.get(); }

    void wait(std::int64_t timeout_ns) override;
    outcome readable(task &who, int descriptor) override;

private:
    class readability;
    struct freer {
        void operator()(event_base *base) const;
        void operator()(readability *one) const;
    };

    std::unique_ptr<event_base, freer> base_;
    std::unique_ptr<readability, freer> readability_;
    event timer_{};
};

} // namespace httpd
