// Which background calls a descriptor has, and in which order they were made.
//
// Calls in one direction of a descriptor complete in the order they were made: only the first of a lane is given to an
// engine, the others wait here. Calls without a lane (fsync, pread, ...) are listed for close(2) only. A call that uses
// two descriptors (splice) has a place on both and runs when it is the first on both. Used by the loop's thread.
#pragma once

#include "calls/descriptor_map.hpp"
#include "calls/operation.hpp"

namespace laio {

struct lane_use {
    int descriptor; // -1: none
    lane way;
};

// The descriptors that a call uses and the lane it takes on each.
void lanes_of(const row &what, const call &made, bool positional, lane_use (&uses)[2]);

// All background calls of one descriptor.
struct descriptor_calls {
    int descriptor;
    descriptor_calls *next_in_bucket;
    bool positional; // some of them move the offset of a regular file: then reads and writes share the lane `in`
    std::uint32_t count;
    membership *first[3]; // by lane
    membership *last[3];
};

class descriptors {
public:
    descriptors() = default;
    ~descriptors();
    descriptors(const descriptors &) = delete;
    descriptors &operator=(const descriptors &) = delete;

    // Whether a new call has to wait for its turn behind others.
    [[nodiscard]] bool is_busy(const row &what, const call &made) const;

    // Lines the operation up on its descriptors. False: no memory.
    bool join(operation &op);

    // Whether its turn has come on each of them.
    [[nodiscard]] static bool is_first(const operation &op);

    // Takes it out. Those whose turn came by it, at most two, are left in `next` (nullptr: none).
    void leave(operation &op, operation *(&next)[2]);

    // The calls of a descriptor, or nullptr.
    [[nodiscard]] descriptor_calls *find(int descriptor) const { return map_.find(descriptor); }

private:
    descriptor_calls *record_for(int descriptor);
    void forget_if_empty(descriptor_calls &calls);

    descriptor_map<descriptor_calls> map_;
    descriptor_calls *unused_ = nullptr;
};

} // namespace laio
