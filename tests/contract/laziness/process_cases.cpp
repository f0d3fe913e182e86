// Processes: made (not quite), asked about, and other ones' descriptors.
#include "laziness/cases.hpp"

#include <fcntl.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

namespace laio::test {
namespace {

void play_no_new_process(stage &s) {
    s.call(SYS_clone, CLONE_SIGHAND, nullptr, nullptr, nullptr, 0); // not without CLONE_VM
    s.call(SYS_clone3, nullptr, 0);
    const std::string absent = s.path("absent");
    s.call(SYS_execve, absent.c_str(), nullptr, nullptr);
    s.call(SYS_execveat, -1, "absent", nullptr, nullptr, 0);
}

void play_ended_child(stage &s) {
    const pid_t pid = fork();
    if (pid == 0) _exit(3);
    siginfo_t info{};
    EXPECT_EQ(waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
    s.call(SYS_waitid, P_PID, pid, &info, WEXITED | WNOWAIT, nullptr);
    s.note("status", static_cast<long>(info.si_status));
    int status = 0;
    s.note("which", static_cast<long>(s.call_for_value(SYS_wait4, pid, &status, 0, nullptr) == pid));
    s.note("status", static_cast<long>(status));
}

void play_process_descriptors(stage &s) {
    { const descriptor made = s.call_for_descriptor(SYS_pidfd_open, getpid(), 0); }
    s.call(SYS_pidfd_open, getpid(), ~0U);
    s.call(SYS_pidfd_getfd, -1, 0, 0);
    const pipe_ends ends = make_pipe();
    s.call(SYS_kcmp, getpid(), getpid(), KCMP_FILE, ends.reader.get(), ends.reader.get());
}

void play_groups_of_processes(stage &s) {
    s.note("group", static_cast<long>(s.call_for_value(number_of("getpgrp")) == getpgrp()));
    s.call(SYS_setpgid, -1, 0);
}

} // namespace

std::span<const generality_case> lazy_process_cases() {
    static const std::vector<generality_case> cases{
        {"no_new_process", {SYS_clone, SYS_clone3, SYS_execve, SYS_execveat}, play_no_new_process},
        {"ended_child", {SYS_waitid, SYS_wait4}, play_ended_child},
        {"process_descriptors", {SYS_pidfd_open, SYS_pidfd_getfd, SYS_kcmp}, play_process_descriptors},
        {"groups_of_processes", {number_of("getpgrp"), SYS_setpgid}, play_groups_of_processes},
    };
    return cases;
}

} // namespace laio::test
