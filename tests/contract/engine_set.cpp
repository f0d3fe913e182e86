// The list of engine sets, and seccomp filters through libseccomp. See engine_set.hpp.
//
// A filter is put on all threads at once (TSYNC): a loop's carriers live in other threads than the test.
#include "engine_set.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <seccomp.h>
#include <sys/syscall.h>

namespace laio::test {
namespace {

constexpr std::array sets{
    engine_set{"default"},
    engine_set{"no_activations", 0, LAIO_FORBID_ACTIVATIONS},
    engine_set{"readiness_and_activations", 0, LAIO_FORBID_RING},
    engine_set{"readiness_and_carriers", 0, LAIO_FORBID_RING | LAIO_FORBID_ACTIVATIONS},
    engine_set{"sockets_in_ring", LAIO_SOCKETS_IN_RING, 0, nullptr, refusal::nothing, true},
    engine_set{"ring_without_newer_opcodes", 0, LAIO_FORBID_RING_NEW, nullptr, refusal::nothing, true},
    engine_set{"sockets_in_old_ring", LAIO_SOCKETS_IN_RING, LAIO_FORBID_RING_NEW, nullptr, refusal::nothing, true},
    engine_set{"ring_without_defer", LAIO_SOCKETS_IN_RING, LAIO_FORBID_DEFER, nullptr, refusal::nothing, true},
    engine_set{"blocking_promised", LAIO_SOCKETS_IN_RING | LAIO_ASSUME_BLOCKING, 0, nullptr, refusal::nothing, true},
    engine_set{"closes_told", LAIO_CLOSES_TOLD},
    engine_set{"activations_only", 0, LAIO_FORBID_RING | LAIO_FORBID_READINESS | LAIO_FORBID_ATTEMPTS},
    engine_set{"carriers_only", 0, LAIO_FORBID_RING | LAIO_FORBID_READINESS | LAIO_FORBID_ACTIVATIONS},
    engine_set{"queued_only", 0,
               LAIO_FORBID_RING | LAIO_FORBID_READINESS | LAIO_FORBID_ATTEMPTS | LAIO_FORBID_ACTIVATIONS},
    engine_set{"no_nowait", 0, LAIO_FORBID_NOWAIT},
    engine_set{"no_cached_no_pidfd", 0, LAIO_FORBID_CACHED | LAIO_FORBID_PIDFD | LAIO_FORBID_CACHESTAT},
    engine_set{"forbidden_by_environment", 0, 0, "ring,nowait,cached,pidfd,activations"},
    engine_set{"seccomp_eperm", 0, 0, nullptr, refusal::ring_eperm},
    engine_set{"seccomp_enosys", 0, 0, nullptr, refusal::old_kernel},
    engine_set{"seccomp_nowait_eopnotsupp", 0, 0, nullptr, refusal::nowait_unsupported},
    engine_set{"sigsys_ring", 0, 0, "ring", refusal::ring_kills},
};

const engine_set *chosen = nullptr;

constexpr std::uint64_t nowait_flag = 0x8; // RWF_NOWAIT

class filter {
public:
    filter() : context_{seccomp_init(SCMP_ACT_ALLOW)} {
        good_ = context_ != nullptr && seccomp_attr_set(context_, SCMP_FLTATR_CTL_TSYNC, 1) == 0;
    }
    ~filter() {
        if (context_ != nullptr) seccomp_release(context_);
    }
    filter(const filter &) = delete;
    filter &operator=(const filter &) = delete;

    void refuse(int number, std::uint32_t action) {
        good_ = good_ && seccomp_rule_add(context_, action, number, 0) == 0;
    }
    void refuse_nowait(int number) {
        good_ = good_ && seccomp_rule_add(context_, SCMP_ACT_ERRNO(EOPNOTSUPP), number, 1,
                                          SCMP_A5(SCMP_CMP_MASKED_EQ, nowait_flag, nowait_flag)) == 0;
    }
    bool load() {
        if (!good_) return false;
        const int error = seccomp_load(context_);
        errno = -error;
        return error == 0;
    }

private:
    scmp_filter_ctx context_;
    bool good_ = false;
};

constexpr std::array after_linux_4_5{SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register,
                                     SYS_pidfd_open,     SYS_openat2,        SYS_epoll_pwait2,
                                     SYS_preadv2,        SYS_pwritev2,       451}; // cachestat

bool install(refusal refused) {
    filter made;
    switch (refused) {
    case refusal::nothing: return true;
    case refusal::ring_eperm: made.refuse(SYS_io_uring_setup, SCMP_ACT_ERRNO(EPERM)); break;
    case refusal::old_kernel:
        for (const long number : after_linux_4_5) made.refuse(static_cast<int>(number), SCMP_ACT_ERRNO(ENOSYS));
        break;
    case refusal::nowait_unsupported:
        made.refuse_nowait(SYS_preadv2);
        made.refuse_nowait(SYS_pwritev2);
        break;
    case refusal::ring_kills: made.refuse(SYS_io_uring_setup, SCMP_ACT_KILL_PROCESS); break;
    }
    return made.load();
}

bool names(const char *environment, const char *word) {
    return environment != nullptr &&
           ("," + std::string{environment} + ",").find("," + std::string{word} + ",") != std::string::npos;
}

} // namespace

bool engine_set::has_attempts() const { return (forbid & LAIO_FORBID_ATTEMPTS) == 0; }

bool engine_set::has_nowait() const {
    return has_attempts() && (forbid & LAIO_FORBID_NOWAIT) == 0 && !names(environment, "nowait") &&
           refused != refusal::nowait_unsupported && refused != refusal::old_kernel;
}

bool engine_set::has_cached_open() const {
    return has_attempts() && (forbid & LAIO_FORBID_CACHED) == 0 && !names(environment, "cached") &&
           refused != refusal::old_kernel;
}

bool engine_set::has_pidfd() const {
    return (forbid & LAIO_FORBID_PIDFD) == 0 && !names(environment, "pidfd") && refused != refusal::old_kernel;
}

bool engine_set::has_nonblocking() const { return (flags & LAIO_ASSUME_BLOCKING) == 0; }

bool engine_set::has_readiness() const { return (forbid & LAIO_FORBID_READINESS) == 0; }

bool engine_set::tells_closes() const { return (flags & LAIO_CLOSES_TOLD) != 0; }

std::span<const engine_set> engine_sets() { return sets; }

const engine_set *find_engine_set(const std::string &name) {
    for (const engine_set &set : sets)
        if (name == set.name) return &set;
    return nullptr;
}

bool choose_engine_set(const engine_set &set) {
    chosen = &set;
    if (set.environment != nullptr) setenv("LAIO_FORBID", set.environment, 1);
    else unsetenv("LAIO_FORBID");
    return install(set.refused);
}

const engine_set &chosen_engine_set() { return chosen != nullptr ? *chosen : sets.front(); }

std::vector<const engine_set *> chosen_engine_sets() { return {&chosen_engine_set()}; }

laio_options options_of_set() {
    laio_options options{};
    options.size = sizeof options;
    options.flags = chosen_engine_set().flags;
    options.forbid = chosen_engine_set().forbid;
    return options;
}

bool refuse_calls(std::span<const int> numbers, int error) {
    filter made;
    for (const int number : numbers) made.refuse(number, SCMP_ACT_ERRNO(static_cast<unsigned>(error)));
    return made.load();
}

bool refuse_call(int number, int error) { return refuse_calls({&number, 1}, error); }

} // namespace laio::test
