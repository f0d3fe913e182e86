// flock and fcntl: LOCK_NB, and F_SETLK for F_SETLKW. A lock that another holds is waited for by a carrier; what gives a
// lock back never is, so that however many wait, the call that releases them gets through.
//
// The server of a file system that is not local keeps its locks, and may take its time for any answer, LOCK_NB or not.
#include "calls/attempts/forms.hpp"

#include <fcntl.h>
#include <sys/file.h>

namespace laio {
namespace {

bool asks_a_server(const operation &op, surroundings &world) {
    file_identity file{};
    return identify(op.descriptor, file) == 0 && !world.is_local(file);
}

} // namespace

outcome attempt_lock(operation &op, surroundings &world) {
    if (asks_a_server(op, world)) return blocked(until::carrier);
    const auto &a = op.made.a;
    if ((a[1] & LOCK_NB) != 0) return done(in_place(op));
    const long r = system_call(SYS_flock, a[0], a[1] | LOCK_NB);
    return r == -EAGAIN ? blocked(until::carrier) : done(r);
}

outcome attempt_control(operation &op, surroundings &world) {
    if (asks_a_server(op, world)) return blocked(until::carrier);
    const auto &a = op.made.a;
    const int command = static_cast<int>(a[1]);
    if (command != F_SETLKW && command != F_OFD_SETLKW) return done(in_place(op));
    const long r = system_call(SYS_fcntl, a[0], command == F_SETLKW ? F_SETLK : F_OFD_SETLK, a[2]);
    return r == -EAGAIN || r == -EACCES ? blocked(until::carrier) : done(r);
}

} // namespace laio
