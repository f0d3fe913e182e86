// What would end with the calling kernel thread though it belongs to the application that the thread carried for a while:
// children, which are told of their parent's end by PR_SET_PDEATHSIG, and tracees; requests in an io_uring of the
// application's, which the kernel cancels. Any thread; changes nothing.
#pragma once

#include <cstdint>

namespace laio {

// What is known of the use of io_uring by a thread. Asked by one that has a ring, if any of the process has.
enum class ring_use : std::uint8_t {
    unknown, // the kernel does not say
    none,    // nobody may
    told,    // it is asked each time
};
ring_use ask_ring_use();

bool has_ties(ring_use may);

} // namespace laio
