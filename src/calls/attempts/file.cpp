// fstat and close: in place where a look at the file says that nobody has to be waited for.
//
// fstat asks the server of a FUSE or network file system; local ones answer from memory. close may have to write, to
// linger, or to free a file that was unlinked; of what was only read, and of pipes and sockets, it has nothing to do.
#include "calls/attempts/forms.hpp"

#include <fcntl.h>

namespace laio {
namespace {

bool lingers(int descriptor) {
    linger option{};
    socklen_t length = sizeof option;
    const long r = system_call(SYS_getsockopt, descriptor, SOL_SOCKET, SO_LINGER, word(&option), word(&length));
    return r < 0 || option.l_onoff != 0;
}

bool closes_at_once(int descriptor, const file_identity &file, surroundings &world) {
    switch (file.kind) {
    case file_kind::socket: return !lingers(descriptor);
    case file_kind::pipe:
    case file_kind::anonymous: return true;
    case file_kind::regular:
    case file_kind::directory: break;
    default: return false;
    }
    const long flags = status_flags(descriptor);
    if ((flags & O_PATH) != 0) return true;
    return (flags & O_ACCMODE) == O_RDONLY && file.links > 0 && world.is_local(file);
}

} // namespace

outcome attempt_status(operation &op, surroundings &world) {
    file_identity file{};
    if (identify(descriptor_of(op), file) < 0) return done(in_place(op));
    return world.is_local(file) ? done(in_place(op)) : blocked(until::carrier);
}

outcome attempt_close(operation &op, surroundings &world) {
    const int descriptor = descriptor_of(op);
    file_identity file{};
    if (identify(descriptor, file) == 0 && !closes_at_once(descriptor, file, world)) return blocked(until::carrier);
    world.hints.forget(descriptor);
    return done(in_place(op));
}

} // namespace laio
