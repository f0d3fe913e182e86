// nanosleep and clock_nanosleep: the loop's timer, by CLOCK_MONOTONIC. Sleeps until a time of day follow a clock that may
// be set, so they wait on a timerfd of their own; other clocks are a carrier's business.
#include "calls/attempts/forms.hpp"
#include "kernel/clock.hpp"
#include "kernel/readable.hpp"

#include <sys/timerfd.h>
#include <time.h>

namespace laio {
namespace {

std::int64_t nanoseconds(const timespec &time) {
    constexpr std::int64_t forever_s = 9'000'000'000; // 285 years
    const std::int64_t seconds = time.tv_sec < forever_s ? time.tv_sec : forever_s;
    return seconds * 1'000'000'000 + time.tv_nsec;
}

outcome sleep_until(operation &op, std::int64_t deadline_ns) {
    if (deadline_ns <= now_ns()) return done(0);
    op.deadline_ns = deadline_ns;
    return blocked(until::time);
}

outcome sleep_on_timerfd(operation &op, long clock, const timespec &time) {
    if (nanoseconds(time) <= now_ns(static_cast<clockid_t>(clock))) return done(0);
    const long timer = system_call(SYS_timerfd_create, clock, TFD_CLOEXEC | TFD_NONBLOCK);
    if (timer < 0) return blocked(until::carrier);
    op.own_descriptor = op.descriptor = static_cast<int>(timer);
    const itimerspec when{{}, time};
    const long r = system_call(SYS_timerfd_settime, timer, TFD_TIMER_ABSTIME, word(&when), 0);
    return r < 0 ? done(r) : blocked(until::readable);
}

} // namespace

outcome attempt_sleep(operation &op, surroundings &world) {
    if (op.own_descriptor >= 0) return done(0); // its timerfd has expired
    const auto &a = op.made.a;
    const bool plain = op.made.number == SYS_nanosleep;
    const long clock = plain ? CLOCK_MONOTONIC : a[0];
    const bool absolute = !plain && (a[1] & TIMER_ABSTIME) != 0;
    const auto *given = pointer<const timespec>(a[plain ? 0 : 2]);
    if (clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME && clock != CLOCK_BOOTTIME) return blocked(until::carrier);
    if (!is_readable(given, sizeof *given)) return done(-EFAULT);
    const timespec time = *given;
    if (time.tv_sec < 0 || time.tv_nsec < 0 || time.tv_nsec >= 1'000'000'000) return done(-EINVAL);
    if (!world.waits_in_epoll) return blocked(until::carrier);
    if (absolute && time.tv_sec == 0 && time.tv_nsec == 0) return done(0); // to a timerfd zero means never
    if (absolute && clock != CLOCK_MONOTONIC) return sleep_on_timerfd(op, clock, time);
    if (!absolute && clock == CLOCK_BOOTTIME) return blocked(until::carrier); // goes on while the machine is suspended
    return sleep_until(op, absolute ? nanoseconds(time) : now_ns() + nanoseconds(time));
}

} // namespace laio
