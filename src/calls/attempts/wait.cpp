// wait4 and waitid: WNOHANG. The end of one child is waited for on its pidfd; the end of any of several, and stops and
// continuations, which a pidfd does not tell, by a carrier.
#include "calls/attempts/forms.hpp"

#include <csignal>
#include <sys/wait.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

namespace laio {
namespace {

outcome wait_for_child(operation &op, const surroundings &world, long process, bool only_its_end) {
    if (!only_its_end || process <= 0 || !world.has.pidfd) return blocked(until::carrier);
    if (op.own_descriptor < 0) {
        const long r = system_call(SYS_pidfd_open, process, 0);
        if (r < 0) return blocked(until::carrier);
        op.own_descriptor = static_cast<int>(r);
    }
    op.descriptor = op.own_descriptor;
    return blocked(until::readable);
}

outcome attempt_wait4(operation &op, const surroundings &world) {
    const auto &a = op.made.a;
    if ((a[2] & WNOHANG) != 0) return done(in_place(op));
    const long r = system_call(SYS_wait4, a[0], a[1], a[2] | WNOHANG, a[3]);
    if (r != 0) return done(r);
    return wait_for_child(op, world, static_cast<int>(a[0]), (a[2] & (WUNTRACED | WCONTINUED)) == 0);
}

outcome attempt_waitid(operation &op, const surroundings &world) {
    const auto &a = op.made.a;
    if ((a[3] & WNOHANG) != 0) return done(in_place(op));
    siginfo_t own{}; // whether a child was found is told here only
    auto *found = a[2] != 0 ? pointer<siginfo_t>(a[2]) : &own;
    const long r = system_call(SYS_waitid, a[0], a[1], word(found), a[3] | WNOHANG, a[4]);
    if (r != 0 || found->si_pid != 0) return done(r);
    const bool only_its_end = (a[3] & (WSTOPPED | WCONTINUED)) == 0;
    if (a[0] == P_PIDFD && only_its_end) {
        op.descriptor = static_cast<int>(a[1]);
        return blocked(until::readable);
    }
    return wait_for_child(op, world, a[0] == P_PID ? a[1] : 0, only_its_end);
}

} // namespace

outcome attempt_wait(operation &op, surroundings &world) {
    return op.made.number == SYS_wait4 ? attempt_wait4(op, world) : attempt_waitid(op, world);
}

} // namespace laio
