// Message queues, semaphores, futexes, random numbers, pipes to pipes: a flag, or a time-out that is over already. What
// has to wait is a carrier's, but for a POSIX message queue without a time-out, which is a descriptor to wait for.
#include "calls/attempts/forms.hpp"
#include "kernel/clock.hpp"
#include "kernel/readable.hpp"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/random.h>
#include <sys/sem.h>
#include <time.h>

namespace laio {
namespace {

// A look that a signal cut short has seen nothing either.
outcome carrier_if(long result, long would_block) {
    return result == would_block || result == -EINTR ? blocked(until::carrier) : done(result);
}

// A time-out that is over before it begins.
bool is_no_time(long time) {
    const auto *given = pointer<const timespec>(time);
    return time != 0 && is_readable(given, sizeof *given) && given->tv_sec == 0 && given->tv_nsec == 0;
}

// That it cannot be done may be all that the application wants to know.
outcome attempt_semaphores(operation &op) {
    const auto &a = op.made.a;
    long r = -EINTR;
    while (r == -EINTR) // by work that the kernel had in this thread: who does not wait is not interrupted otherwise
        r = system_call(SYS_semtimedop, a[0], a[1], a[2], word(&no_time));
    if (r != -EAGAIN) return carrier_if(r, -EAGAIN);
    bool waits = false; // the kernel has read them
    const auto *steps = pointer<const sembuf>(a[1]);
    for (long i = 0; i < a[2]; ++i) waits = waits || (steps[i].sem_flg & IPC_NOWAIT) == 0;
    if (!waits || (op.made.number == SYS_semtimedop && is_no_time(a[3]))) return done(r);
    return blocked(until::carrier);
}

outcome attempt_queue(operation &op, until ready) {
    const auto &a = op.made.a;
    const long r = system_call(op.made.number, a[0], a[1], a[2], a[3], word(&no_time));
    if (r != -ETIMEDOUT) return done(r);
    return blocked(a[4] == 0 ? ready : until::carrier);
}

} // namespace

outcome attempt_message(operation &op, surroundings &) {
    const auto &a = op.made.a;
    switch (op.made.number) {
    case SYS_msgsnd:
        if ((a[3] & IPC_NOWAIT) != 0) return done(in_place(op));
        return carrier_if(system_call(SYS_msgsnd, a[0], a[1], a[2], a[3] | IPC_NOWAIT), -EAGAIN);
    case SYS_msgrcv:
        if ((a[4] & IPC_NOWAIT) != 0) return done(in_place(op));
        return carrier_if(system_call(SYS_msgrcv, a[0], a[1], a[2], a[3], a[4] | IPC_NOWAIT), -ENOMSG);
    case SYS_semop:
    case SYS_semtimedop: return attempt_semaphores(op);
    case SYS_mq_timedsend: return attempt_queue(op, until::writable);
    default: return attempt_queue(op, until::readable); // mq_timedreceive
    }
}

outcome attempt_futex(operation &op, surroundings &) {
    const auto &a = op.made.a;
    if (op.made.number != SYS_futex) // futex_wait(2): absolute, so zero is long ago
        return carrier_if(system_call(op.made.number, a[0], a[1], a[2], a[3], word(&no_time), a[5]), -ETIMEDOUT);
    const long command = a[1] & FUTEX_CMD_MASK;
    // the others do not wait, but for priority inheritance, which is about the thread that calls
    if (command != FUTEX_WAIT && command != FUTEX_WAIT_BITSET) return done(in_place(op));
    const long r = system_call(SYS_futex, a[0], a[1], a[2], word(&no_time), a[4], a[5]);
    return r == -ETIMEDOUT && is_no_time(a[3]) ? done(r) : carrier_if(r, -ETIMEDOUT);
}

outcome attempt_random(operation &op, surroundings &) {
    const auto &a = op.made.a;
    if ((a[2] & GRND_NONBLOCK) != 0) return done(in_place(op));
    return carrier_if(system_call(SYS_getrandom, a[0], a[1], a[2] | GRND_NONBLOCK), -EAGAIN);
}

outcome attempt_pipe_copy(operation &op, surroundings &) {
    const auto &a = op.made.a; // tee(in, out, length, flags), vmsplice(pipe, vector, count, flags)
    if ((a[3] & SPLICE_F_NONBLOCK) != 0) return done(in_place(op));
    return carrier_if(system_call(op.made.number, a[0], a[1], a[2], a[3] | SPLICE_F_NONBLOCK), -EAGAIN);
}

} // namespace laio
