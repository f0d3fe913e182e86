// A question to the kernel, asked in a child process: where a filter answers by killing who asks (SIGSYS), only the
// child is gone, and we can say so.
//
// The child shares one page with us for its answer and leaves by _exit(2): nothing that it made outlives it. Lost: a
// handler for SIGSYS. It sees SECCOMP_RET_TRAP only; SECCOMP_RET_KILL_PROCESS asks nobody.
#pragma once

#include <cerrno>
#include <new>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <type_traits>
#include <unistd.h>

namespace probe {

template <class T> struct trial {
    T value{};      // what the question returned; only if the two others are 0
    int signal = 0; // that the child died of; SIGSYS: a filter
    int error = 0;  // errno: there was no child to ask
};

template <class question> auto ask_in_child(question ask) -> trial<decltype(ask())> {
    using answer = decltype(ask());
    static_assert(std::is_trivially_copyable_v<answer>);
    trial<answer> result;
    void *page = mmap(nullptr, sizeof(answer), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        result.error = errno;
        return result;
    }
    const pid_t child = fork();
    if (child == 0) {
        const rlimit none{0, 0};
        setrlimit(RLIMIT_CORE, &none);
        new (page) answer(ask());
        _exit(0);
    }
    int status = 0;
    pid_t waited = child;
    if (child > 0) {
        do waited = waitpid(child, &status, 0);
        while (waited < 0 && errno == EINTR);
    }
    if (waited < 0) result.error = errno;
    else if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
    else if (status != 0) result.error = ECHILD; // somebody ended it before it could answer
    else result.value = *static_cast<answer *>(page);
    munmap(page, sizeof(answer));
    return result;
}

} // namespace probe
