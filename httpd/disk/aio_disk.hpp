// POSIX AIO, the C library's, for reads; names are looked up and files opened in the loop, for which there is no AIO. A read
// goes to memory that nobody looks at: it is there to bring the bytes in.
// The C library tells by a signal of the process, which is blocked and read from a signal descriptor. It is an ordinary one:
// of a real-time signal each is queued, and lost where the user has too many queued, while of this one there may be several
// told at once, so the reads under way are gone through. (SIGEV_THREAD makes a thread for each.)
// All threads must have SIGIO blocked: this is made before there are others. One for each process. The loop's thread.
#pragma once

#include "disk/blocking_disk.hpp"
#include "disk/helped_disk.hpp"

#include <deque>
#include <list>

namespace httpd {

class aio_disk final : public helped_disk {
public:
    aio_disk(libevent_multiplexer &loop, int root, unsigned reads_max); // throws std::system_error
    ~aio_disk() override;                                               // when nothing is under way

    outcome status(task &who, const char *name, struct stat &status) override {
        return names_.status(who, name, status);
    }
    outcome open(task &who, const char *name, opened_file &file) override { return names_.open(who, name, file); }

private:
    struct read;

    void send(const errand &what) override;
    void begin(const errand &what);
    void take_completed();

    blocking_disk names_;
    const unsigned reads_max_;
    int signals_;
    event signal_event_{};
    std::deque<errand> queue_;
    std::list<read> under_way_;
    std::list<read> unused_; // for their memory
};

} // namespace httpd
