// poll, ppoll, select, pselect6 and epoll_wait & co: with a time-out of zero; then, when one of their descriptors is ready
// or their own time is over, again.
//
// The signal mask of ppoll, pselect6 and epoll_pwait is not used: nobody sleeps in the call. The time that was left is
// not written back either. select(2) clears its sets, so they are kept (op.copied) and put back.
#include "calls/attempts/forms.hpp"
#include "kernel/clock.hpp"
#include "kernel/readable.hpp"

#include <climits>
#include <cstdlib>
#include <cstring>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <time.h>

namespace laio {
namespace {

// Of an argument of type int.
std::int64_t from_ms(long argument) {
    const auto timeout_ms = static_cast<int>(argument);
    return timeout_ms < 0 ? -1 : std::int64_t{timeout_ms} * 1'000'000;
}

// The time-out of a call, from now, in nanoseconds. -1: none; less than -1: the negative errno.
std::int64_t timeout_ns(const operation &op) {
    const auto &a = op.made.a;
    int place = 2;
    std::int64_t unit_ns = 1; // of the second member
    switch (op.made.number) {
#ifdef SYS_poll
    case SYS_poll: return from_ms(a[2]);
#endif
#ifdef SYS_epoll_wait
    case SYS_epoll_wait:
#endif
    case SYS_epoll_pwait: return from_ms(a[3]);
    case SYS_epoll_pwait2: place = 3; break;
#ifdef SYS_select
    case SYS_select: unit_ns = 1000; [[fallthrough]];
#endif
    case SYS_pselect6: place = 4; break;
    default: break; // ppoll
    }
    if (a[place] == 0) return -1;
    const auto *given = pointer<const timespec>(a[place]); // struct timeval has the same form
    if (!is_readable(given, sizeof *given)) return -EFAULT;
    std::int64_t seconds = given->tv_sec;
    std::int64_t units = given->tv_nsec;
    if (unit_ns > 1) { // select(2) takes more than a second of microseconds
        if (seconds > INT_MAX) return -1;
        seconds += units / 1'000'000;
        units %= 1'000'000;
    }
    if (seconds < 0 || units < 0 || units >= 1'000'000'000 / unit_ns) return -EINVAL;
    if (seconds > INT_MAX) return -1;
    return seconds * 1'000'000'000 + units * unit_ns;
}

// Not ready now: done if its time is over, else set up to wait.
outcome wait_or_time_out(operation &op, until what) {
    if (op.deadline_ns == 0) {
        const std::int64_t timeout = timeout_ns(op);
        if (timeout < -1) return done(timeout);
        if (timeout == 0) return done(0);
        op.deadline_ns = timeout < 0 ? -1 : now_ns() + timeout;
    } else if (op.deadline_ns > 0 && now_ns() >= op.deadline_ns) {
        return done(0);
    }
    return blocked(what);
}

constexpr std::size_t set_bytes(long descriptors) { return (static_cast<std::size_t>(descriptors) + 63) / 64 * 8; }

// The three sets as they were given, one behind the other. False: unreadable, or no memory.
bool keep_sets(operation &op) {
    const auto &a = op.made.a;
    const std::size_t bytes = set_bytes(a[0]);
    for (int i = 1; i <= 3; ++i)
        if (a[i] != 0 && !is_readable(pointer<char>(a[i]), bytes)) return false;
    auto *kept = static_cast<char *>(std::calloc(3, bytes == 0 ? 8 : bytes));
    if (kept == nullptr) return false;
    for (int i = 1; i <= 3; ++i)
        if (a[i] != 0) std::memcpy(kept + static_cast<std::size_t>(i - 1) * bytes, pointer<char>(a[i]), bytes);
    op.copied = kept;
    return true;
}

void bring_back_sets(const operation &op) {
    const auto &a = op.made.a;
    const std::size_t bytes = set_bytes(a[0]);
    const auto *kept = static_cast<const char *>(op.copied);
    for (int i = 1; i <= 3; ++i)
        if (a[i] != 0) std::memcpy(pointer<char>(a[i]), kept + static_cast<std::size_t>(i - 1) * bytes, bytes);
}

outcome attempt_select(operation &op) {
    const auto &a = op.made.a;
    if (op.copied == nullptr && (static_cast<int>(a[0]) < 0 || a[0] > FD_SETSIZE || !keep_sets(op)))
        return blocked(until::carrier);
    timespec zero{}; // the kernel may write the time left
    const long r = system_call(SYS_pselect6, a[0], a[1], a[2], a[3], word(&zero), 0);
    if (r != 0) return done(r);
    const outcome next = wait_or_time_out(op, until::descriptors);
    if (next.waits_for != until::nothing) bring_back_sets(op);
    return next;
}

// The kernel wants to know how long it is, even though there is only one length.
long check_mask(long address, long length) {
    if (address == 0) return 0;
    if (length != 8) return -EINVAL;
    return is_readable(pointer<long>(address), 8) ? 0 : -EFAULT;
}

} // namespace

long check_poll_arguments(const operation &op) {
    const auto &a = op.made.a;
    long mask = 0;
    switch (op.made.number) {
    case SYS_ppoll: mask = check_mask(a[3], a[4]); break;
    case SYS_epoll_pwait:
    case SYS_epoll_pwait2: mask = check_mask(a[4], a[5]); break;
    case SYS_pselect6:
        if (a[5] == 0) break;
        // the mask's address and length
        if (!is_readable(pointer<long>(a[5]), 2 * sizeof(long))) return -EFAULT;
        mask = check_mask(pointer<const long>(a[5])[0], pointer<const long>(a[5])[1]);
        break;
    default: break;
    }
    const std::int64_t timeout = timeout_ns(op);
    return timeout < -1 ? static_cast<long>(timeout) : mask;
}

outcome attempt_poll(operation &op, surroundings &) {
    if (const long error = check_poll_arguments(op); error != 0) return done(error);
    const auto &a = op.made.a;
    if (op.what->arguments[0] == '-') return attempt_select(op);
    timespec zero{};
    const long r = system_call(SYS_ppoll, a[0], a[1], word(&zero), 0, 0);
    return r != 0 ? done(r) : wait_or_time_out(op, until::descriptors);
}

outcome attempt_events(operation &op, surroundings &) {
    if (const long error = check_poll_arguments(op); error != 0) return done(error);
    const auto &a = op.made.a;
    const long r = system_call(SYS_epoll_pwait, a[0], a[1], a[2], 0, 0, 0);
    return r != 0 ? done(r) : wait_or_time_out(op, until::readable);
}

} // namespace laio
