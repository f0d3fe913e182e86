// See liburing_way.hpp.
#include "liburing_way.hpp"

#include <array>

namespace laio::bench {
namespace {

constexpr unsigned entries = 64;

struct mode {
    unsigned flags;
    const char *name;
};

constexpr std::array modes{
    mode{IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN, "SINGLE_ISSUER|DEFER_TASKRUN"},
    mode{IORING_SETUP_COOP_TASKRUN, "COOP_TASKRUN"},
    mode{0, "no flags"},
};

// Asked once: the first mode that this kernel takes, or the error of the last one.
struct probe {
    const mode *best = nullptr;
    int error = 0;

    probe() {
        for (const mode &each : modes) {
            io_uring ring{};
            error = -io_uring_queue_init(entries, &ring, each.flags);
            if (error == 0) {
                io_uring_queue_exit(&ring);
                best = &each;
                return;
            }
        }
    }
};

const probe &probed() {
    static const probe once;
    return once;
}

} // namespace

std::string liburing_way::why_not() {
    return probed().best != nullptr ? "" : "no io_uring: " + error_text(probed().error);
}

std::string liburing_way::flags_used() { return probed().best != nullptr ? probed().best->name : "none"; }

void liburing_way::open(int /*fd*/) {
    check(io_uring_queue_init(entries, &ring_, probed().best->flags), "io_uring_queue_init");
    // A refusal (before Linux 5.18) leaves the ordinary descriptor in use.
    (void)io_uring_register_ring_fd(&ring_);
}

void liburing_way::close() { io_uring_queue_exit(&ring_); }

} // namespace laio::bench
