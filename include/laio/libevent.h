/* laio for programs on libevent: the completion of a background laio_syscall() as an event of a libevent loop.
 *
 * This is the paper's EV_LAIO_COMPLETED (section 3, Figures 1 and 2) in libevent's manner: a structure that lives in
 * the client's own, assigned, added, and gone when it has happened. laio_event(3) is the contract; this header is its
 * short form. Link with -llaio-libevent -llaio -levent_core.
 *
 * Threads: one thread, one base. The thread that attaches a base runs it and is the only one that may call the
 * functions here for it. While a base is attached the adapter owns this thread's laio_poll() and laio_setdata().
 * Memory: a struct laio_event is the caller's, and used from laio_event_add() until its function is called or
 * laio_event_del() returns. What the call was given by reference stays the call's until its completion, whatever
 * happens to the event: see laio_event_finalize().
 * Errors: every int function returns 0, or -1 with errno: EINVAL (a bad argument), EPERM (the event's base is not
 * attached to the calling thread), and those named below.
 */
#ifndef LAIO_LIBEVENT_H
#define LAIO_LIBEVENT_H

#include <event2/event_struct.h>
#include <laio/laio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The continuation: what the call returned, and 0 or its error. Arguments in the order of the paper's Figure 1. It may
 * make calls, add, delete and reuse any events, free the structure that its own event is in, and end the loop. */
typedef void (*laio_event_fn)(void *arg, long return_value, int error);

/* Embed it in the client's structure. The fields are the adapter's; filled in by laio_event_assign(). */
struct laio_event {
    laio_handle_t handle;
    laio_event_fn function;
    void *arg;
    struct event_base *base;
    struct laio_event *next;  /* among the events added to this base */
    struct laio_event **link; /* what points to this one there */
    struct event timer;
    unsigned state;
    unsigned reserved_0;
    void *reserved[2];
};

/* Lets `base` deliver the completions of the calling thread's calls. Alone it does not keep event_base_dispatch()
 * running; added events do. Again for the same base: 0. -1/EBUSY: this thread has another base attached, or another
 * thread has this one; or an error of laio_fd(). */
LAIO_API int laio_event_attach(struct event_base *base);

/* Ends that: deletes the events that are still added (as laio_event_del() does) and gives laio_poll() back to the
 * thread. To be called before event_base_free() and before laio_fini(). -1/EINVAL: not attached to this thread. */
LAIO_API int laio_event_detach(struct event_base *base);

/* Prepares an event that is not added: when the call named by `handle` is complete, `function` is to be called. */
LAIO_API void laio_event_assign(struct laio_event *event, struct event_base *base, laio_handle_t handle,
                                laio_event_fn function, void *arg);

/* Adds the event. When the call is complete its function is called, once, from the loop, and the event is not added any
 * more. With a timeout the call is cancelled when that is over: the function is then called with -1 and ETIMEDOUT, or
 * with the call's result if that won. For an event that is added: sets its timeout anew (NULL: leaves it as it is).
 * To be called before control returns to the loop: a completion without an event is dropped. -1/EINVAL: also a handle
 * that is NULL or not of this thread; EBUSY: being finalized; ENOMEM. The call then goes on without an event. */
LAIO_API int laio_event_add(struct laio_event *event, const struct timeval *timeout);

/* Takes the event back: its function will not be called, the structure may be freed at once, the call is cancelled and
 * its result (also a descriptor that it opened) is lost. When the call lets go of its memory is not told: delete only
 * events of calls that were given none, or memory that outlives the loop. Not added: 0, and nothing happens. */
LAIO_API int laio_event_del(struct laio_event *event);

/* Takes the event back and tells when the memory is free: the call is cancelled, and when it is complete `function` is
 * called instead of the event's own, once, from the loop, with the same arg: -1 and ECANCELED, or the result that won.
 * Until then the event is added. -1/ENOENT: not added; no call uses the memory, and `function` will not be called. */
LAIO_API int laio_event_finalize(struct laio_event *event, laio_event_fn function);

/* 1 if the event is added, else 0. */
LAIO_API int laio_event_pending(const struct laio_event *event);

#ifdef __cplusplus
}
#endif

#endif
