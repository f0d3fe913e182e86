// The mount, and the loop: one thread takes requests from /dev/fuse, has those answered that are due, and sleeps until the next
// of either. While there are requests it does not sleep, but looks at times and signals between them.
// ppoll(2) tells of requests, signals and times in one call; epoll with a timer's descriptor lost, which takes two more for
// each change of the next time. Threads lost: at what a disk can do one thread is idle most of the time.
// Signals are blocked from the beginning on, and come while it sleeps.
#pragma once

#include "file_system.hpp"

#include <csignal>
#include <functional>
#include <string>

namespace slowfs {

struct mount_options {
    std::string at;
    bool for_others = false; // other users, too
    unsigned read_max = 0;
    unsigned read_ahead_kb = 0; // 0: as the kernel likes
};

class session {
public:
    // Mounts. Throws std::runtime_error.
    session(file_system &files, mount_options options);
    session(const session &) = delete;
    session &operator=(const session &) = delete;
    // Unmounts, also where somebody is in it: he keeps an empty mount.
    ~session();

    // Until the kernel has been told what it asked at first.
    void begin();
    // Until it is unmounted, or told to end by SIGTERM, SIGINT or SIGHUP; `on_report` for each SIGUSR1.
    void run(const std::function<void()> &on_report);

private:
    enum class receipt { request, nothing, end };
    receipt receive();
    void wait(bool at_most_a_look);
    void set_read_ahead() const;

    file_system &files_;
    mount_options options_;
    fuse_session *session_ = nullptr;
    fuse_buf buffer_{};
    sigset_t while_asleep_{};
};

} // namespace slowfs
