// The mechanics of a disk with one arm: where it stands, and how long it takes to be elsewhere. The disk is one long track,
// wound up as on a record: a revolution passes rate * rotation bytes, reading on costs no seek, and the angle of a place
// follows from its address, that of the platter from the time. So the wait for a place to come by is computed, not drawn.
// What passes after an access while nothing else is to be done goes into a buffer, as in any drive: without it, a
// reader that asks for the next piece a moment late would wait for a whole revolution each time.
// Pure; no clock. Tracks with skew and zones lost: they change the numbers by less than the choice of a drive does.
#pragma once

#include "disk.hpp"

namespace slowfs {

struct arm_parameters {
    std::uint64_t span_bytes = 1'000'000'000'000; // that a full stroke passes over
    nanoseconds seek_min = std::chrono::microseconds(800);
    nanoseconds seek_max = std::chrono::microseconds(15200);
    double seek_exponent = 0.5;       // of the distance: 0.5 is a square root, 1 a line
    double rpm = 7200;                // 0: it does not turn, nothing is waited for
    std::uint64_t rate = 150'000'000; // bytes a second
    std::uint64_t ahead_bytes = 2'097'152;
};

class arm {
public:
    explicit arm(const arm_parameters &parameters);

    // Where it stands: behind the last byte that was asked for.
    [[nodiscard]] std::uint64_t position() const { return position_; }

    // From then on, what passes before all of it has been transferred, but for the transfer.
    [[nodiscard]] nanoseconds positioning(const place &where, nanoseconds at) const;

    // Goes there and transfers, from then on; how long that takes.
    nanoseconds serve(const place &where, nanoseconds at);

    // All but `busy`.
    [[nodiscard]] const disk_activity &activity() const { return activity_; }

private:
    struct way {
        std::uint64_t distance = 0;
        nanoseconds seek{0};
        nanoseconds rotation{0};
        std::uint64_t buffered = 0; // bytes from the address on that have passed already
        bool is_ahead = false;      // the address is where it stands, or has passed since
    };
    [[nodiscard]] way way_to(const place &where, nanoseconds at) const;
    [[nodiscard]] std::uint64_t distance(std::uint64_t address) const;
    [[nodiscard]] nanoseconds seek_time(std::uint64_t distance) const;
    [[nodiscard]] nanoseconds wait_for(std::uint64_t address, nanoseconds at) const;
    [[nodiscard]] nanoseconds transfer_time(std::uint64_t bytes) const;

    arm_parameters parameters_;
    double rotation_ns_;
    double revolution_bytes_;
    std::uint64_t position_ = 0;
    nanoseconds stood_there_{0}; // when position_ passed
    disk_activity activity_;
};

} // namespace slowfs
