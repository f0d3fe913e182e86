/* laio: Lazy Asynchronous I/O for Linux.
 *
 * laio_syscall() makes any Linux system call. If the call does not block it returns just as syscall(2) does; if it
 * would block it returns -1 with errno EINPROGRESS at once, and laio_poll() later hands over the finished result.
 * The interface is that of Elmeleegy, Chanda, Cox and Zwaenepoel, "Lazy Asynchronous I/O for Event-Driven Servers",
 * USENIX ATC 2004, section 2; what the paper does not have is marked "ours" below. laio(7) and a man page for each
 * function are the contract; this header is its short form.
 *
 * Threads: everything is per thread. A thread that calls laio_syscall() has a loop of its own, made at its first call,
 * ended by laio_fini() or by the thread's end. No function here may be called from a signal handler.
 * Memory: what a call passes by reference (buffers, paths, structures) belongs to the call until its completion was
 * handed over, also after laio_cancel(). Arrays of struct iovec, struct msghdr and struct timespec are copied.
 */
#ifndef LAIO_LAIO_H
#define LAIO_LAIO_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LAIO_VERSION_MAJOR 0
#define LAIO_VERSION_MINOR 1
#define LAIO_VERSION_PATCH 0

#define LAIO_API __attribute__((visibility("default")))

/* Names a background call from its EINPROGRESS until its completion is handed over. Opaque; never dereferenced. */
typedef struct laio_operation *laio_handle_t;

struct laio_completion {
    laio_handle_t laio_handle; /* what laio_gethandle() returned */
    long laio_return_value;    /* what the system call returned; -1: error */
    int laio_errno;            /* 0, or the error */
    void *laio_data;           /* what laio_setdata() attached, or NULL */
};

/* ---- The paper's three functions --------------------------------------------------------------------------------- */

/* Makes system call `number` (SYS_... of <sys/syscall.h>) with up to six arguments. Returns what it returned, or -1
 * with errno; EINPROGRESS with a handle from laio_gethandle(): the call goes on in the background. */
LAIO_API long laio_syscall(long number, ...);

/* The handle of this thread's latest laio_syscall() if that one went to the background and its completion has not been
 * handed over yet; else NULL. */
LAIO_API laio_handle_t laio_gethandle(void);

/* Waits until background calls are complete and hands over up to `length` of them. `timeout` NULL: without limit,
 * {0,0}: not at all. Returns how many, 0 when the time is over, or -1 with errno: EINTR (a signal handler ran; as with
 * epoll_wait(2), also after a stop, or when the kernel had work to do in this thread), EINVAL (length < 1, or a timeout
 * that is none), EFAULT (completions NULL), EDEADLK (no limit, and nothing is outstanding). */
LAIO_API int laio_poll(struct laio_completion *completions, int length, const struct timespec *timeout);

/* ---- Ours -------------------------------------------------------------------------------------------------------- */

/* Attaches a pointer that the completion of `handle` will carry. -1/EINVAL: not a handle of this thread. */
LAIO_API int laio_setdata(laio_handle_t handle, void *data);

/* Asks for the end of a background call. Its completion says ECANCELED, or the result if that won (bytes that had moved
 * already are such a result), and still has to be fetched by laio_poll(). -1/EINVAL: not a handle of this thread. */
LAIO_API int laio_cancel(laio_handle_t handle);

/* A descriptor for another event loop: readable (POLLIN) while laio_poll() would return something. It may be readable
 * with nothing complete; laio_poll() with {0,0} then returns 0. Owned by the library, closed by laio_fini(). -1/errno:
 * the loop could not be made. */
LAIO_API int laio_fd(void);

/* Background calls of this thread whose completion has not been handed over. */
LAIO_API int laio_outstanding(void);

/* Makes this thread's loop with options other than the default ones. -1/EALREADY: the thread has a loop; EINVAL: an
 * option out of its range, or a size this library does not know; ENOMEM, EMFILE, ENFILE: not to be had. */
struct laio_options;
LAIO_API int laio_init(const struct laio_options *options);

/* Cancels what is outstanding, waits for it, and frees the loop; the completions are lost. Also done at thread exit. 0,
 * also when the thread has no loop. */
LAIO_API int laio_fini(void);

/* Fills in what this thread's loop has counted since it was made; all zero when there is none. -1/EINVAL: size unset. */
struct laio_stats;
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow" /* the function and the structure share a name, as stat(2) and its own do */
#endif
LAIO_API int laio_stats(struct laio_stats *stats);
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

/* ---- Options (zero always means the default) --------------------------------------------------------------------- */

/* laio_options.flags */
#define LAIO_SOCKETS_IN_RING 0x1u /* sockets and pipes wait in io_uring, not in epoll */
#define LAIO_ASSUME_BLOCKING 0x2u /* a promise: no descriptor has O_NONBLOCK; saves asking for it when a call waits */
#define LAIO_SIGNALS_BLOCKED 0x4u /* a promise: signals with handlers are blocked outside laio_poll(); saves time */
#define LAIO_CLOSES_TOLD     0x8u /* a promise: what this thread waited on it closes by laio_syscall() only; see below */
#define LAIO_FLAGS_ALL       0xfu

/* LAIO_CLOSES_TOLD: a descriptor that a call of this thread has waited for, or sent a file to, comes to mean another file,
 * or none, by a close(2), dup2(2), dup3(2) or close_range(2) of this thread's laio_syscall() only, not by the plain call,
 * another thread or loop, fclose(3) or a library. Waiting again then costs no system call. Duplicates are descriptors of
 * their own: each is closed that way if it was waited for, or sent a file to. A fork's child may close what it likes, and
 * execve(2) ends the loop with the process. Where it is broken, a call on that number may wait until laio_cancel(), or until
 * the number is closed through laio; and a call that was waiting, for a file that lives on by a duplicate, may be made on
 * the file that has its number now. */

/* laio_options.forbid, and by name (lower case, commas between) in the environment variable LAIO_FORBID: what the loop
 * is not to use, nor to ask the kernel for. Everything works without them, by other means. */
#define LAIO_FORBID_RING        0x001u /* "ring": io_uring */
#define LAIO_FORBID_READINESS   0x002u /* "readiness": waiting for descriptors in epoll */
#define LAIO_FORBID_RING_NEW    0x004u /* "ring_new": io_uring operations and set-up flags after Linux 5.6 */
#define LAIO_FORBID_DEFER       0x008u /* "defer": IORING_SETUP_DEFER_TASKRUN */
#define LAIO_FORBID_NOWAIT      0x010u /* "nowait": RWF_NOWAIT */
#define LAIO_FORBID_CACHED      0x020u /* "cached": openat2(2) with RESOLVE_CACHED */
#define LAIO_FORBID_PIDFD       0x040u /* "pidfd": pidfd_open(2) */
#define LAIO_FORBID_ATTEMPTS    0x080u /* "attempts": all non-blocking forms */
#define LAIO_FORBID_ACTIVATIONS 0x100u /* "activations": calls in place that can be left behind: laio_activations(7) */
#define LAIO_FORBID_CACHESTAT   0x200u /* "cachestat": cachestat(2), which tells sendfile(2) what is in memory */
#define LAIO_FORBID_ALL         0x3ffu

struct laio_options {
    size_t size;             /* sizeof(struct laio_options) */
    uint32_t flags;          /* LAIO_SOCKETS_IN_RING, LAIO_ASSUME_BLOCKING, ... */
    uint32_t forbid;         /* LAIO_FORBID_..., beside those in the environment */
    uint32_t operations_max; /* background calls at once; default 1048576, at most 16777214; beyond it: ENOMEM */
    uint32_t ring_entries;   /* submission queue of io_uring; default 256, at most 32768, rounded up to a power of 2 */
    uint32_t carriers_max;   /* kernel threads for queued calls and calls left behind; default 64, at most 32768 */
    uint32_t carriers_hard_max; /* what they may grow to when a call has waited 100 ms for one; default 1024 */
    uint32_t carrier_idle_ms;   /* how long an idle carrier is kept; default 10000 */
    uint32_t cancel_signal; /* real-time signal that interrupts blocked calls; default: the highest one not in use */
};

/* ---- Statistics -------------------------------------------------------------------------------------------------- */

/* The routes that a call can take: laio_calls(7). */
enum laio_route {
    LAIO_ROUTE_DIRECT,     /* cannot block, or is about the calling thread: made in place */
    LAIO_ROUTE_ATTEMPT,    /* its non-blocking form first, or in place where that has been cheaper */
    LAIO_ROUTE_ACTIVATION, /* in place, and left behind when it blocks; without activations such calls are queued */
    LAIO_ROUTE_HOME,       /* belongs to the kernel thread: made in place there */
    LAIO_ROUTE_QUEUED,     /* given to a carrier; never returns directly */
    LAIO_ROUTES
};

/* laio_stats.engines */
#define LAIO_ENGINE_READINESS   0x1u
#define LAIO_ENGINE_RING        0x2u
#define LAIO_ENGINE_CARRIERS    0x4u
#define LAIO_ENGINE_ACTIVATIONS 0x8u

struct laio_route_stats {
    uint64_t calls;      /* calls of laio_syscall() that took this route */
    uint64_t blocked;    /* of these, how many went to the background */
    uint64_t sampled;    /* of these, how many were timed: one in 64 */
    uint64_t sampled_ns; /* the time those spent inside laio_syscall(), sum */
};

#define LAIO_CLAIM_BUCKETS 16
#define LAIO_COST_BUCKETS  64
/* The shortest time that element i of cost_ns counts; four to a doubling: 16, 20, 24, 28, 32, 40, 48, 56, 64, ... ns */
#define LAIO_COST_BUCKET_NS(i) ((uint64_t)(4 + (i) % 4) << ((i) / 4 + 2))

struct laio_stats {
    size_t size;               /* in: sizeof(struct laio_stats); out: how much of it was filled in */
    uint32_t engines;          /* LAIO_ENGINE_... in use */
    int32_t ring_errno;        /* 0, or why there is no io_uring: ENOSYS, EPERM, ECANCELED (forbidden), ... */
    int32_t activations_errno; /* 0 so far, or why there are none: ENOTSUP (here), ECANCELED (forbidden), EPERM, ... */
    struct laio_route_stats routes[LAIO_ROUTES];
    uint64_t outstanding; /* now */
    uint64_t outstanding_peak;
    uint64_t completed;         /* completions handed over */
    uint64_t cancelled;         /* of these, with ECANCELED */
    uint64_t readiness_waits;   /* times a call was put to wait for a descriptor */
    uint64_t readiness_retries; /* times an attempt was made again because a descriptor was ready */
    uint64_t ring_submitted;    /* requests given to io_uring for calls */
    uint64_t ring_in_flight;    /* of these, not complete now */
    uint64_t ring_enters;       /* io_uring_enter(2) made */
    uint64_t carriers;          /* alive now */
    uint64_t carriers_peak;
    uint64_t carriers_created;
    uint64_t queue_depth; /* calls that wait for a carrier now */
    uint64_t queue_depth_peak;
    uint64_t queued;        /* calls that were given to carriers; not those left behind */
    uint64_t queue_wait_ns; /* how long these waited for one, sum */
    uint64_t queue_wait_max_ns;
    uint64_t polls;        /* calls of laio_poll() */
    uint64_t stalls;       /* turns (from one laio_poll() to the next) longer than 10 ms, by a clock of 1 to 10 ms */
    uint64_t stall_max_ns; /* the longest of them */

    /* calls made in place: laio_activations(7) */
    uint64_t claims;             /* that blocked, and were left behind */
    uint64_t claims_by_sentinel; /* noticed to block by it; one that ends meanwhile is not claimed */
    uint64_t claims_by_watchdog; /* likewise */
    uint64_t claims_spurious;    /* noticed, and over before they were claimed, or not to be claimed */
    uint64_t trips_away;         /* times the application left its home: claimed there, or because of the ring */
    uint64_t trips_home;         /* times it came back */
    /* Timed calls (one in 64) that were claimed, by the microseconds from their entry to EINPROGRESS: below 1, 2, 4, 8,
     * ...; the last one is all above. */
    uint64_t claim_us[LAIO_CLAIM_BUCKETS];
    /* Each route's timed calls (one in 64), by the nanoseconds they spent inside laio_syscall(): element i counts from
     * LAIO_COST_BUCKET_NS(i) to below LAIO_COST_BUCKET_NS(i + 1); the first one all that were shorter too, the last one
     * all that were longer. Together as many as routes[].sampled. */
    uint64_t cost_ns[LAIO_ROUTES][LAIO_COST_BUCKETS];
};

#ifdef __cplusplus
}
#endif

#endif
