// AMTED: the disk by helper threads. They are started as there is work that no idle one can take, up to a number; they take
// errands from one queue, and tell the loop by an event descriptor. The queue and what has been done are behind the mutex;
// all else is the loop's. A thread that waits for a dead disk cannot be ended: then the server leaves without ends.
#pragma once

#include "disk/helped_disk.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace httpd {

class helper_thread_disk final : public helped_disk {
public:
    helper_thread_disk(libevent_multiplexer &loop, int root, unsigned threads_max); // throws std::system_error
    ~helper_thread_disk() override;

private:
    struct finished {
        errand what;
        errand_result result;
    };

    void send(const errand &what) override;
    bool start_thread();
    void help(); // what a thread does
    void take_finished();

    const unsigned threads_max_;
    const int wakeup_;
    event wakeup_event_{};
    std::vector<std::thread> threads_;

    std::mutex mutex_;
    std::condition_variable has_work_;
    std::deque<errand> queue_;
    std::vector<finished> finished_; // not empty: the loop has been woken
    std::size_t idle_ = 0;           // threads, including those that have been woken and did not come to it yet
    bool ending_ = false;
};

} // namespace httpd
