// The calls of x86-64 that later architectures came without, so that the tests can be written once. Where a machine has
// no number for one, it is here a number that no call has, and the harness makes the call that took its place, with the
// arguments that a C library would give it. Lost: a condition of the preprocessor around each use of them.
#pragma once

#include <array>
#include <sys/syscall.h>
#include <time.h>

namespace laio::test {

using arguments = std::array<long, 6>;

// A call as this machine has it. Lives until the call was made: `time` is the time-out of one that had a number.
struct native_call {
    native_call(long given, const arguments &values);
    native_call(const native_call &) = delete;
    native_call &operator=(const native_call &) = delete;

    long number;
    arguments a;
    timespec time{};
};

} // namespace laio::test

#if !defined(SYS_open)
constexpr long first_older_call = 7'000'000;
// NOLINTBEGIN(cppcoreguidelines-macro-usage): they stand beside those of <sys/syscall.h>
#define SYS_open       (first_older_call + 0)
#define SYS_creat      (first_older_call + 1)
#define SYS_stat       (first_older_call + 2)
#define SYS_lstat      (first_older_call + 3)
#define SYS_access     (first_older_call + 4)
#define SYS_readlink   (first_older_call + 5)
#define SYS_rename     (first_older_call + 6)
#define SYS_unlink     (first_older_call + 7)
#define SYS_mkdir      (first_older_call + 8)
#define SYS_rmdir      (first_older_call + 9)
#define SYS_link       (first_older_call + 10)
#define SYS_symlink    (first_older_call + 11)
#define SYS_chmod      (first_older_call + 12)
#define SYS_chown      (first_older_call + 13)
#define SYS_lchown     (first_older_call + 14)
#define SYS_utimes     (first_older_call + 15)
#define SYS_dup2       (first_older_call + 16)
#define SYS_pipe       (first_older_call + 17)
#define SYS_poll       (first_older_call + 18)
#define SYS_select     (first_older_call + 19)
#define SYS_epoll_wait (first_older_call + 20)
#define SYS_time       (first_older_call + 21)
#define SYS_fork       (first_older_call + 22)
// These are only ever left out of a list of all calls.
#define SYS_vfork      (first_older_call + 23)
#define SYS_pause      (first_older_call + 24)
#define SYS_alarm      (first_older_call + 25)
#define SYS_arch_prctl (first_older_call + 26)
#define SYS_modify_ldt (first_older_call + 27)
#define SYS_iopl       (first_older_call + 28)
#define SYS_ioperm     (first_older_call + 29)
// NOLINTEND(cppcoreguidelines-macro-usage)
#endif
