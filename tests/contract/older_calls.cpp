// See older_calls.hpp.
#include "older_calls.hpp"

#include <csignal>
#include <fcntl.h>

namespace laio::test {
namespace {

#if defined(__x86_64__)

void translate(native_call &) {}

#else

void become(native_call &call, long number, const arguments &values) {
    call.number = number;
    call.a = values;
}

// The address of a time-out in milliseconds. 0, which is no limit, for a negative one.
long as_time(native_call &call, long argument) {
    const auto timeout_ms = static_cast<int>(argument);
    if (timeout_ms < 0) return 0;
    call.time = {timeout_ms / 1000, timeout_ms % 1000 * 1'000'000L};
    return reinterpret_cast<long>(&call.time);
}

void translate_path_call(native_call &call) {
    constexpr long here = AT_FDCWD;
    const arguments a = call.a;
    switch (call.number) {
    case SYS_open: become(call, SYS_openat, {here, a[0], a[1], a[2]}); break;
    case SYS_creat: become(call, SYS_openat, {here, a[0], O_CREAT | O_WRONLY | O_TRUNC, a[1]}); break;
    case SYS_stat: become(call, SYS_newfstatat, {here, a[0], a[1]}); break;
    case SYS_lstat: become(call, SYS_newfstatat, {here, a[0], a[1], AT_SYMLINK_NOFOLLOW}); break;
    case SYS_access: become(call, SYS_faccessat, {here, a[0], a[1]}); break;
    case SYS_readlink: become(call, SYS_readlinkat, {here, a[0], a[1], a[2]}); break;
    case SYS_rename: become(call, SYS_renameat, {here, a[0], here, a[1]}); break;
    case SYS_unlink: become(call, SYS_unlinkat, {here, a[0]}); break;
    case SYS_mkdir: become(call, SYS_mkdirat, {here, a[0], a[1]}); break;
    case SYS_rmdir: become(call, SYS_unlinkat, {here, a[0], AT_REMOVEDIR}); break;
    case SYS_link: become(call, SYS_linkat, {here, a[0], here, a[1]}); break;
    case SYS_symlink: become(call, SYS_symlinkat, {a[0], here, a[1]}); break;
    case SYS_chmod: become(call, SYS_fchmodat, {here, a[0], a[1]}); break;
    case SYS_chown: become(call, SYS_fchownat, {here, a[0], a[1], a[2]}); break;
    case SYS_lchown: become(call, SYS_fchownat, {here, a[0], a[1], a[2], AT_SYMLINK_NOFOLLOW}); break;
    // a timeval's microseconds count as nanoseconds: the address may be a bad one, so it is not followed
    case SYS_utimes: become(call, SYS_utimensat, {here, a[0], a[1]}); break;
    default: break;
    }
}

void translate(native_call &call) {
    translate_path_call(call);
    constexpr long mask_bytes = 8;
    const arguments a = call.a;
    switch (call.number) {
    case SYS_dup2: become(call, SYS_dup3, {a[0], a[1]}); break;
    case SYS_pipe: become(call, SYS_pipe2, {a[0]}); break;
    case SYS_poll: become(call, SYS_ppoll, {a[0], a[1], as_time(call, a[2]), 0, mask_bytes}); break;
    case SYS_select: become(call, SYS_pselect6, {a[0], a[1], a[2], a[3], a[4]}); break; // as with utimes
    case SYS_epoll_wait: become(call, SYS_epoll_pwait, {a[0], a[1], a[2], a[3], 0, mask_bytes}); break;
    case SYS_time: become(call, SYS_gettimeofday, {}); break;
    case SYS_fork: become(call, SYS_clone, {SIGCHLD}); break;
    default: break;
    }
}

#endif

} // namespace

native_call::native_call(long given, const arguments &values) : number{given}, a{values} { translate(*this); }

} // namespace laio::test
