// A wish to end a run early, which a signal handler may utter at any moment. It also wakes who waits for events, so none is
// lost between looking and beginning to wait, as one that were only a flag would be. Owns an eventfd.
#pragma once

#include <atomic>

namespace replay {

class stop_request {
public:
    stop_request(); // std::system_error
    stop_request(const stop_request &) = delete;
    stop_request &operator=(const stop_request &) = delete;
    ~stop_request();

    void make() noexcept; // safe in signal handlers and from any thread
    bool is_made() const { return made_; }
    int descriptor() const { return event_; } // readable from then on

private:
    int event_;
    std::atomic<bool> made_{false};
};

} // namespace replay
