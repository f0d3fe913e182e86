// AMPED: the disk by helper processes. One is started as there is work that no idle one can take, up to a number; then
// errands wait. Each has one errand at a time. One that is killed is noticed by the end of its socket; its errand is given
// to another once, and fails with EIO if that dies of it, too. The loop's thread.
#pragma once

#include "disk/helped_disk.hpp"

#include <deque>

namespace httpd {

class helper_process_disk final : public helped_disk {
public:
    helper_process_disk(libevent_multiplexer &loop, int root, unsigned processes_max);
    ~helper_process_disk() override; // when nothing is under way

private:
    struct work {
        errand what;
        int deaths = 0; // of helpers that had it
    };
    struct helper;

    void send(const errand &what) override;
    void hand_out();
    helper *find_idle();
    void give(helper &to, work what);
    void answered(helper &by);
    void bury(helper &which);
    void reap();

    const unsigned processes_max_;
    std::deque<work> queue_;
    std::vector<std::unique_ptr<helper>> helpers_;
    std::vector<helper *> idle_; // the last one used is the last
    std::vector<pid_t> killed_;  // not yet reaped
    int start_error_ = 0;
};

} // namespace httpd
