// open, openat, openat2, creat: openat2(2) with RESOLVE_CACHED.
//
// RESOLVE_CACHED keeps the walk along the path out of the disk, but not the open itself: a FIFO waits for its other
// end, a FUSE or network file system for its server, a leased file for the lease. So the file is looked at first, through
// a descriptor that only names it (O_PATH); it is opened in place if it is a file or directory of a local file system,
// and with O_NONBLOCK, which turns a lease into an error. Anything else, and what creates or truncates, goes to a carrier.
#include "calls/attempts/forms.hpp"
#include "kernel/readable.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>

namespace laio {
namespace {

constexpr std::uint64_t flags_known = O_ACCMODE | O_APPEND | O_ASYNC | O_CLOEXEC | O_DIRECT | O_DIRECTORY | O_DSYNC |
                                      O_EXCL | O_NOATIME | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK | O_PATH | O_SYNC;

struct opening {
    long directory;
    long path;
    open_how how;
};

// The call in terms of openat2. False: it is not one that can be attempted.
bool decode(const operation &op, opening &as) {
    const auto &a = op.made.a;
    std::uint64_t flags = 0;
    switch (op.made.number) {
    case SYS_openat2: {
        const auto *given = pointer<const open_how>(a[2]);
        if (a[3] != sizeof as.how || !is_readable(given, sizeof *given)) return false;
        as = {a[0], a[1], *given};
        flags = given->flags;
        break;
    }
    case SYS_openat:
        flags = static_cast<std::uint64_t>(a[2]) & 0xffffffff;
        as = {a[0], a[1], {}};
        as.how.flags = flags & flags_known; // open(2) overlooks what it does not know, openat2 does not
        break;
#ifdef SYS_open
    case SYS_open:
        flags = static_cast<std::uint64_t>(a[1]) & 0xffffffff;
        as = {AT_FDCWD, a[0], {}};
        as.how.flags = flags & flags_known;
        break;
#endif
    default: return false; // creat
    }
    return (flags & (O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))) == 0;
}

long open_cached(const opening &as, std::uint64_t flags) {
    open_how how = as.how;
    how.flags = flags;
    how.resolve |= RESOLVE_CACHED;
    return system_call(SYS_openat2, as.directory, as.path, word(&how), sizeof how);
}

// Whether the file can be opened without waiting for anybody. 0, -EAGAIN, or why it cannot be opened at all.
long look(const opening &as, surroundings &world) {
    const long named = open_cached(as, O_PATH | O_CLOEXEC | (as.how.flags & (O_NOFOLLOW | O_DIRECTORY)));
    if (named < 0) return named;
    file_identity file{};
    const long r = identify(static_cast<int>(named), file);
    system_call(SYS_close, named);
    if (r < 0) return r;
    const bool plain = file.kind == file_kind::regular || file.kind == file_kind::directory ||
                       file.kind == file_kind::link; // a link is an error, with O_NOFOLLOW
    return plain && world.is_local(file) ? 0 : -EAGAIN;
}

} // namespace

outcome attempt_open(operation &op, surroundings &world) {
    opening as{};
    if (!world.has.cached || !decode(op, as)) return blocked(until::carrier);
    const std::uint64_t flags = as.how.flags;
    if ((flags & O_PATH) != 0) {
        const long r = open_cached(as, flags);
        return r == -EAGAIN ? blocked(until::carrier) : done(r);
    }
    const long seen = look(as, world);
    if (seen == -EAGAIN) return blocked(until::carrier);
    const long r = open_cached(as, flags | O_NONBLOCK);
    if (r == -EAGAIN) return blocked(until::carrier);
    if (r >= 0 && (flags & O_NONBLOCK) == 0)
        system_call(SYS_fcntl, r, F_SETFL, static_cast<long>(flags & ~std::uint64_t{O_CLOEXEC}));
    return done(r);
}

} // namespace laio
