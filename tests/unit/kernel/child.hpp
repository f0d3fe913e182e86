// A piece of a test in a forked child of its own: what it does to signals, limits and filters of calls stays there.
//
// The child ends by _exit(), so the parent's gtest says nothing twice; what it found out is the one number it returns.
#pragma once

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <ostream>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace laio::test {

struct child_end {
    bool returned = false;
    long value = 0; // what the child's function returned
    int signal = 0; // or what ended it

    friend bool operator==(const child_end &, const child_end &) = default;
    friend std::ostream &operator<<(std::ostream &to, const child_end &end) {
        if (end.returned) return to << "returned " << end.value;
        return to << "ended by signal " << end.signal;
    }
};

template <class function> child_end in_child(function what) {
    int ends[2]{};
    EXPECT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    EXPECT_GE(child, 0);
    if (child == 0) {
        alarm(120); // a child that hangs is a signal in the report
        const long value = what();
        _exit(write(ends[1], &value, sizeof value) == sizeof value ? 0 : 1);
    }
    close(ends[1]);
    child_end end;
    end.returned = read(ends[0], &end.value, sizeof end.value) == sizeof end.value;
    close(ends[0]);
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status)) end = {false, 0, WTERMSIG(status)};
    return end;
}

// What a child returns when the machine does not let it do what the test needs.
constexpr long cannot = -7777;

// From here on this process's system calls with these numbers are answered by `action` (SECCOMP_RET_...). False: the
// machine has no such filters, or forbids them.
inline bool filter_calls(const std::vector<unsigned> &numbers, unsigned action) {
    std::vector<sock_filter> program;
    program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
    for (const unsigned number : numbers) {
        program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1));
        program.push_back(BPF_STMT(BPF_RET | BPF_K, action));
    }
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

inline bool refuse_calls(const std::vector<unsigned> &numbers, int error) {
    return filter_calls(numbers, SECCOMP_RET_ERRNO | static_cast<unsigned>(error));
}

inline bool kill_for_calls(const std::vector<unsigned> &numbers) {
    return filter_calls(numbers, SECCOMP_RET_KILL_PROCESS);
}

} // namespace laio::test
