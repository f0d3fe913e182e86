// What a kernel thread may do: ids, groups, capabilities, no_new_privs, seccomp filters. Linux has them per thread; the
// application must have the same ones on whichever thread carries it, so a thread that takes it over takes these over.
//
// They are read from /proc, in the same text as the thread's blocked signals, and adopted by raw system calls: libc's would
// tell all threads. Lost by a thread, they do not come back; what cannot be adopted (a seccomp filter) is a reason not to
// carry. Securebits and "keep capabilities" are not in that text: they matter for later calls of setuid(2) and for execve(2).
// Any thread; also in a signal handler; no memory, no errno.
#pragma once

#include <cstddef>
#include <cstdint>

namespace laio {

constexpr std::uint64_t groups_known = 64; // of a thread with more, only that is known

struct credentials {
    std::uint32_t uid[4]; // real, effective, saved, for files
    std::uint32_t gid[4];
    std::uint64_t inheritable, permitted, effective, bounding, ambient;
    std::uint64_t no_new_privileges;
    std::uint64_t filters;     // seccomp's
    std::uint64_t group_count; // groups_known + 1: more than that
    std::uint32_t group[groups_known];

    friend bool operator==(const credentials &, const credentials &) = default;
};

struct thread_status {
    credentials may;
    std::uint64_t pending; // signals, for it alone
    std::uint64_t blocked;
    std::uint64_t caught; // by the process
    char state;           // R, S, D, ...
};

// Of the text of /proc/TID/status. False: it is not all there.
bool parse_status(const char *text, std::size_t length, thread_status &to);
bool read_status(int file, thread_status &to);
bool read_own_status(thread_status &to); // of the calling thread

// Whether the calling thread has other ids or capabilities than those; quicker than reading them all.
bool differs_from(const credentials &known);

// The calling thread becomes what `wanted` says. False: it could not, and has no more than it had.
bool adopt(const credentials &wanted);

// Whether a system call changes what the calling thread may do, so that our threads should make it as well.
bool changes_credentials(long number, const long *arguments);

} // namespace laio
