// See way.hpp.
#include "way.hpp"

#include "common/failure.hpp"
#include "laio_way.hpp"
#include "liburing_way.hpp"
#include "stat_peers.hpp"

namespace laio::bench {

way_name name_of(way which) {
    switch (which) {
    case way::plain:
        return {"plain", "plain", "blocking",
                "the blocking call; where nothing is there yet: the write, then the read"};
    case way::plain_threads:
        return {
            "plain-threads", "plain", "+ threads",
            "the blocking call in a process that has LAIO's threads, idle: the kernel then counts references to files"};
    case way::epoll:
        return {"epoll", "O_NONBLK", "+ epoll", "O_NONBLOCK; EAGAIN leads to epoll_ctl, epoll_wait and the call again"};
    case way::laio: return {"laio", "LAIO", "default", "laio_syscall() and laio_poll() with the default engines"};
    case way::laio_no_ring:
        return {"laio-no-ring", "LAIO", "no ring", "LAIO_FORBID_RING: readiness for descriptors, carriers for files"};
    case way::laio_ring:
        return {"laio-ring", "LAIO", "all ring", "LAIO_SOCKETS_IN_RING: sockets and pipes wait in io_uring too"};
    case way::laio_promised:
        return {"laio-promised", "LAIO", "promised",
                "LAIO_SOCKETS_IN_RING and LAIO_ASSUME_BLOCKING: nobody asks for O_NONBLOCK"};
    case way::laio_told:
        return {"laio-told", "LAIO", "told",
                "LAIO_CLOSES_TOLD and LAIO_ASSUME_BLOCKING: a wait in epoll costs no system call of its own"};
    case way::laio_activations:
        return {"laio-activations", "LAIO", "in place",
                "LAIO_FORBID_ATTEMPTS and LAIO_ASSUME_BLOCKING: every call is an activation"};
    case way::laio_signals_blocked:
        return {"laio-signals-blocked", "LAIO", "no signals",
                "LAIO_SIGNALS_BLOCKED: for programs that handle signals in laio_poll() only"};
    case way::laio_carriers:
        return {"laio-carriers", "LAIO", "carriers",
                "LAIO_FORBID_RING, _READINESS and _ACTIVATIONS: what may block goes to a carrier"};
    case way::aio:
        return {"aio", "POSIX", "AIO",
                "glibc's aio_read, aio_suspend, aio_error, aio_return; its thread on the same CPU, in its own process"};
    case way::aio_unpinned:
        return {"aio-unpinned", "POSIX AIO", "unpinned", "the same with the process free to use all of its CPUs"};
    case way::liburing:
        return {"liburing", "liburing", "by hand",
                "io_uring by hand, with SINGLE_ISSUER and DEFER_TASKRUN where there is"};
    case way::thread_pool:
        return {"thread-pool", "thread", "pool",
                "the call handed to a pool of one thread on the same CPU, and its result back, by futexes"};
    case way::libuv: return {"libuv", "libuv", "pool", "libuv's uv_fs_ functions, in a process of its own"};
    }
    fail("no such way");
}

std::string why_not(way which) {
    if (which == way::liburing) return liburing_way::why_not();
    if (which == way::laio_ring || which == way::laio_promised) return laio_way::why_no_ring(which);
    if (which == way::laio_activations || which == way::laio_signals_blocked || which == way::plain_threads)
        return laio_way::why_no_activations();
    if (which == way::libuv) return why_no_libuv();
#ifdef __SANITIZE_THREAD__
    if (is_posix_aio(which))
        return "with ThreadSanitizer the program crashes once POSIX AIO is used; glibc makes its threads unseen by it";
#endif
    return "";
}

} // namespace laio::bench
