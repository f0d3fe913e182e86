#include "kernel/ties.hpp"

#include "kernel/system_call.hpp"

#include <cerrno>
#include <csignal>
#include <sys/wait.h>

namespace laio {
namespace {

// To do nothing with a ring that the thread has registered for itself, at the last place that there is for one. -EINVAL: it
// has never used a ring, or the kernel is older than that kind of registration; -EBADF: it has; 0: it has even one there.
long enter_nothing() {
    constexpr unsigned last_place = 15;
    constexpr unsigned registered = 1U << 4; // IORING_ENTER_REGISTERED_RING: Linux 5.18, later than some headers
    return system_call(SYS_io_uring_enter, last_place, 0, 0, registered, 0, 0);
}

bool has_children() {
    siginfo_t info{};
    const int options = WEXITED | WNOHANG | WNOWAIT | __WNOTHREAD | __WALL;
    return system_call(SYS_waitid, P_ALL, 0, word(&info), options, 0) != -ECHILD;
}

} // namespace

ring_use ask_ring_use() {
    const long r = enter_nothing();
    if (r == -EBADF || r >= 0) return ring_use::told;
    return system_call(SYS_io_uring_setup, 1, 0) == -EFAULT ? ring_use::unknown : ring_use::none;
}

bool has_ties(ring_use may) { return has_children() || (may == ring_use::told && enter_nothing() != -EINVAL); }

} // namespace laio
