// What every disk is to the rest of the room: accesses go in, and come out finished, each with the time when. A disk has no
// clock and no thread of its own; times are the disk's, from its start on, and whoever drives it says how late it is. So a
// test can let hours pass in a moment, and a reply that is made late does not make the disk slower: it has gone on meanwhile.
// A disk that says at once when an access will be finished lost: an arm cannot know who comes between.
#pragma once

#include "duration.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace slowfs {

struct place {
    std::uint64_t address = 0; // in bytes from the beginning of the disk
    std::uint32_t bytes = 0;
};

struct finished_access {
    std::uint32_t ticket;
    nanoseconds at;
};

// Since the start. Times of accesses under way are counted up to now.
struct disk_activity {
    std::uint64_t accesses = 0;
    std::uint64_t bytes = 0;
    std::vector<nanoseconds> busy; // of the arm, or of each channel

    // Of an arm only.
    std::uint64_t seeks = 0;
    double seek_bytes = 0; // the sum of their distances
    nanoseconds seeking{0};
    nanoseconds rotating{0};      // waiting for the place to come by
    std::uint64_t ahead_hits = 0; // accesses to what came by after the one before
};

class disk {
public:
    disk() = default;
    disk(const disk &) = delete;
    disk &operator=(const disk &) = delete;
    virtual ~disk() = default;

    // Times never go back, from one call to the next. The ticket is the caller's, and comes back.
    virtual void submit(const place &where, std::uint32_t ticket, nanoseconds at) = 0;

    // When the next access is finished; nothing: none is there.
    virtual std::optional<nanoseconds> next_finish() = 0;

    // The next of those that are finished by then, in the order of their ends.
    virtual std::optional<finished_access> take_finished(nanoseconds by) = 0;

    [[nodiscard]] virtual disk_activity activity(nanoseconds at) const = 0;
};

} // namespace slowfs
