#include "kernel/features.hpp"

#include "kernel/residency.hpp"
#include "kernel/system_call.hpp"
#include "laio/laio.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/uio.h>
#include <unistd.h>

namespace laio {
namespace {

constexpr const char *names[] = {"ring",   "readiness", "ring_new", "defer",       "nowait",
                                 "cached", "pidfd",     "attempts", "activations", "cachestat"};

// 0: there, or there as far as can be told without a descriptor to spare.
int answer(long r) { return r >= 0 || r == -EMFILE || r == -ENFILE ? 0 : static_cast<int>(-r); }

// A read of nothing from an empty pipe.
int ask_nowait() {
    int ends[2]{};
    if (const long r = system_call(SYS_pipe2, word(ends), O_CLOEXEC); r < 0) return answer(r);
    char byte = 0;
    const iovec one{&byte, 1};
    const long r = system_call(SYS_preadv2, ends[0], word(&one), 1, -1, -1, RWF_NOWAIT);
    system_call(SYS_close, ends[0]);
    system_call(SYS_close, ends[1]);
    // pipes know the flag only since Linux 6.4; files do since 4.14
    return r == -EAGAIN || r == -EOPNOTSUPP || r == -EINVAL ? 0 : answer(r);
}

int ask_cached() {
    open_how how{};
    how.flags = O_PATH | O_CLOEXEC;
    how.resolve = RESOLVE_CACHED;
    const long r = system_call(SYS_openat2, AT_FDCWD, word("/"), word(&how), sizeof how);
    if (r >= 0) system_call(SYS_close, r);
    return r == -EAGAIN ? 0 : answer(r);
}

int ask_pidfd() {
    const long r = system_call(SYS_pidfd_open, system_call(SYS_getpid), 0);
    if (r >= 0) system_call(SYS_close, r);
    return answer(r);
}

int ask_cachestat() {
    const long r = system_call(sys_cachestat, -1, 0, 0, 0);
    return r == -EBADF ? 0 : answer(r);
}

} // namespace

std::uint32_t parse_forbidden(const char *list, const char **unknown) {
    std::uint32_t bits = 0;
    if (unknown != nullptr) *unknown = nullptr;
    while (list != nullptr && *list != '\0') {
        const std::size_t length = std::strcspn(list, ",");
        bool known = length == 0;
        for (unsigned i = 0; forbidden_name(i) != nullptr; ++i) {
            if (std::strlen(names[i]) != length || std::memcmp(names[i], list, length) != 0) continue;
            bits |= 1u << i;
            known = true;
        }
        if (!known && unknown != nullptr && *unknown == nullptr) *unknown = list;
        list += length;
        if (*list == ',') ++list;
    }
    return bits;
}

const char *forbidden_name(unsigned index) { return index < sizeof names / sizeof *names ? names[index] : nullptr; }

features ask_features(std::uint32_t forbidden) {
    features has;
    has.attempts = !(forbidden & LAIO_FORBID_ATTEMPTS);
    has.nowait_errno = forbidden & LAIO_FORBID_NOWAIT ? ECANCELED : ask_nowait();
    has.cached_errno = forbidden & LAIO_FORBID_CACHED ? ECANCELED : ask_cached();
    has.pidfd_errno = forbidden & LAIO_FORBID_PIDFD ? ECANCELED : ask_pidfd();
    has.cachestat_errno = forbidden & LAIO_FORBID_CACHESTAT ? ECANCELED : ask_cachestat();
    has.nowait = has.nowait_errno == 0;
    has.cached = has.cached_errno == 0;
    has.pidfd = has.pidfd_errno == 0;
    has.cachestat = has.cachestat_errno == 0;
    return has;
}

} // namespace laio
