// What the disks with helpers (AMPED, AMTED, AIO) share: all but the helpers. The loop looks whether bytes are in memory; a
// helper brings in those that are not, and the loop looks again, for they may have vanished meanwhile. Errands that are the
// same are joined: one is sent, and its outcome is everybody's. An errand that is cancelled goes on, and its outcome comes.
// Everything is on the loop's thread; it ends when nobody waits any more. Descriptors are closed by the loop: who helps
// from another process cannot, and a file that is served again and again is not closed each time.
#pragma once

#include "cache/joined.hpp"
#include "disk/disk.hpp"
#include "disk/errand.hpp"
#include "reusable.hpp"

#include <event2/event_struct.h>

#include <unordered_set>
#include <utility>
#include <vector>

namespace httpd {

class libevent_multiplexer;

class helped_disk : public disk {
public:
    ~helped_disk() override;

    outcome status(task &who, const char *name, struct stat &status) override;
    outcome open(task &who, const char *name, opened_file &file) override;
    outcome bring_in(task &who, int file, off_t offset, std::uint64_t length) override;
    outcome bring_in(task &who, const void *address, std::size_t length) override;
    outcome close(task &who, int file) override;

protected:
    helped_disk(libevent_multiplexer &loop, int root);

    // Sends an errand out, or queues it. What comes of it is told by returned(), or refused(), ...
    virtual void send(const errand &what) = 0;
    // ... from the loop and from nowhere else. A descriptor in it is this function's to close.
    void returned(const errand &what, const errand_result &result);
    // The same, for an error that send() meets itself: the loop is told of it later.
    void refused(errand what, int error);

    libevent_multiplexer &loop_;
    const int root_;

private:
    class customer;

    outcome ask(task &who, errand what, void *place);
    void join(customer &which);
    void tell_refused();

    joined<errand, errand_result, errand_hash> errands_;
    std::unordered_multiset<int> being_read_; // the files of errands that read
    std::vector<std::pair<errand, int>> refused_;
    event refused_event_{};
    reusable<customer> customers_;
};

} // namespace httpd
