// When each request is to be answered. A request is a ticket of the caller's and what it has to wait for: accesses of the disk,
// one after another, or a delay beside the disk. Times are the disk's; the timetable has no clock, and knows nothing of files
// or of FUSE. An access that follows another one comes to the disk when that one ended, not when somebody looked.
#pragma once

#include "cost.hpp"
#include "depth.hpp"
#include "disk/disk.hpp"

#include <array>
#include <queue>

namespace slowfs {

struct work {
    cost price;
    // Where the accesses go: the last one to `last`, those before it to these two in turn, so that the one before the last is
    // to the second.
    std::array<place, 2> metadata;
    place last;
};

struct answer {
    std::uint32_t ticket;
    nanoseconds due;
};

class timetable {
public:
    explicit timetable(disk &below) : disk_(below) {}

    // All that is due by then has been taken before.
    void begin(std::uint32_t ticket, const work &what, nanoseconds at);

    [[nodiscard]] std::optional<nanoseconds> next_event();
    // The next of those that are due by then.
    std::optional<answer> take_due(nanoseconds by);

    [[nodiscard]] const depth &requests() const { return requests_; }
    [[nodiscard]] const depth &accesses() const { return accesses_; }

private:
    struct later {
        bool operator()(const answer &a, const answer &b) const { return a.due > b.due; }
    };
    void submit(std::uint32_t ticket, nanoseconds at);
    std::optional<answer> finish_access(nanoseconds by);

    disk &disk_;
    std::vector<work> works_; // by ticket; price.accesses: those not yet submitted
    std::priority_queue<answer, std::vector<answer>, later> delays_;
    depth requests_;
    depth accesses_;
};

} // namespace slowfs
