#include "uring.hpp"

#include "calls/operation.hpp"
#include "engines/ring.hpp"
#include "kernel/system_call.hpp"
#include "thread.hpp"
#include "trial.hpp"

#include <csignal>
#include <fstream>
#include <iterator>
#include <sys/eventfd.h>

namespace probe {
namespace {

struct ring_opened {
    int error;
    unsigned flags;
    std::uint32_t requests; // a bit for each of `requests`
};

// A request of the ring, and a call that it would be used for.
struct request {
    const char *name;
    long number;
};
constexpr request requests[] = {{"read", SYS_read},      {"readv", SYS_readv},     {"write", SYS_write},
                                {"writev", SYS_writev},  {"recv", SYS_recvfrom},   {"recvmsg", SYS_recvmsg},
                                {"send", SYS_sendto},    {"sendmsg", SYS_sendmsg}, {"accept", SYS_accept},
                                {"connect", SYS_connect}};

// By the bit's number, which is the kernel's interface; headers of an older kernel do not have them all.
constexpr const char *setup_names[] = {
    "IOPOLL",        "SQPOLL",        "SQ_AFF",     "CQSIZE",
    "CLAMP",         "ATTACH_WQ",     "R_DISABLED", "SUBMIT_ALL",
    "COOP_TASKRUN",  "TASKRUN_FLAG",  "SQE128",     "CQE32",
    "SINGLE_ISSUER", "DEFER_TASKRUN", "NO_MMAP",    "REGISTERED_FD_ONLY",
    "NO_SQARRAY",    "HYBRID_IOPOLL", "CQE_MIXED",  "SQE_MIXED",
};

bool can(const laio::ring &ring, long number) {
    laio::operation op{};
    constexpr long arguments[6]{};
    laio::prepare(op, *laio::find_row(number), number, arguments);
    if (op.what->copies) op.vector = op.vector_inside; // as it is once the call is in the background
    return ring.can(op);
}

ring_opened open_ring(std::uint32_t forbid) {
    laio_options options{};
    laio::complete_options(nullptr, options);
    options.forbid |= forbid;
    const int alarm = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (alarm < 0) return {errno, 0, 0};
    laio::ring ring;
    ring_opened found{-ring.open(options, alarm), 0, 0};
    if (found.error != 0) return found;
    found.flags = ring.flags();
    for (unsigned i = 0; i < std::size(requests); ++i)
        if (can(ring, requests[i].number)) found.requests |= 1u << i;
    return found;
}

std::optional<int> read_sysctl() {
    std::ifstream file("/proc/sys/kernel/io_uring_disabled");
    int value = 0;
    if (file >> value) return value;
    return std::nullopt;
}

std::string reason_of(int error, std::optional<int> sysctl) {
    switch (error) {
    case ENOSYS: return "Linux before 5.1 or without io_uring, or a seccomp filter answers";
    case EPERM:
        if (sysctl == 2) return "kernel.io_uring_disabled is 2: forbidden to all";
        if (sysctl == 1)
            return "kernel.io_uring_disabled is 1: only for CAP_SYS_ADMIN and the group kernel.io_uring_group";
        return "a seccomp filter or a security module refuses it";
    case EACCES: return "a security module refuses it";
    case EINVAL:
    case EOPNOTSUPP: return "Linux before 5.6";
    case ENOMEM: return "no memory; before Linux 5.12, the limit of locked memory (RLIMIT_MEMLOCK)";
    case EMFILE:
    case ENFILE: return "too many open files";
    default: return {};
    }
}

} // namespace

uring examine_uring(std::uint32_t forbid) {
    uring found;
    found.sysctl = read_sysctl();
    if ((forbid & LAIO_FORBID_RING) != 0) {
        found.is.reason = "forbidden by LAIO_FORBID, ring";
        return found;
    }
#if !LAIO_HAS_URING
    found.is = {state::unusable, 0, 0, "this laio was built without liburing"};
    return found;
#endif
    const auto got = ask_in_child([&] { return open_ring(forbid); });
    if (got.signal != 0 || got.error != 0) {
        found.is = no_answer(got.signal, got.error);
        return found;
    }
    const ring_opened &ring = got.value;
    if (ring.error != 0) {
        found.is = {state::unusable, ring.error, 0, reason_of(ring.error, found.sysctl)};
        return found;
    }
    found.is.is = state::usable;
    for (unsigned i = 0; i < 32; ++i)
        if ((ring.flags >> i & 1) != 0)
            found.setup.push_back(i < std::size(setup_names) ? setup_names[i] : "bit " + std::to_string(i));
    for (unsigned i = 0; i < std::size(requests); ++i)
        ((ring.requests >> i & 1) != 0 ? found.requests : found.unsupported).emplace_back(requests[i].name);
    return found;
}

} // namespace probe
