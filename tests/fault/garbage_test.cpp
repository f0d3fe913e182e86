// Garbage: every number of a system call, with arguments that are none. No crash, and an answer
// (laio_syscall(3): "an unknown number is ENOSYS, a bad pointer EFAULT, as from the kernel").
//
// Each number runs in a forked child with a loop of its own. A call that goes to the background and stays there is cancelled:
// it has to end. Where it fails, the plain call fails too, in the same child; which of several errors is named first is the
// kernel's own affair (wild_pointer_test.cpp has one wrong argument at a time, and compares the error).
#include "harness.hpp"

#include <climits>
#include <cstdlib>
#include <fcntl.h>
#include <set>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace laio::test {
namespace {

class garbage : public contract_test {};

// Not made, because even with such arguments they would do to the child, or to the machine, what a test must not.
const std::set<long> &left_out() {
    static const std::set<long> numbers{
        // end or copy the process, or replace what it runs
        SYS_exit, SYS_exit_group, SYS_fork, SYS_vfork, SYS_clone, SYS_clone3, SYS_execve, SYS_execveat,
        // send signals: to all processes, with -1
        SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_pidfd_send_signal,
        // wait for a signal, or return from one: the plain call would not end
        SYS_pause, SYS_rt_sigsuspend, SYS_rt_sigreturn, SYS_restart_syscall, SYS_rt_sigtimedwait,
        // take away the memory that we run in
        SYS_mmap, SYS_munmap, SYS_mprotect, SYS_mremap, SYS_brk, SYS_madvise, SYS_process_madvise, SYS_remap_file_pages,
        SYS_pkey_mprotect, SYS_mlockall, 462 /* mseal */,
        // take away our descriptors, our deadline, or our rights
        SYS_close, SYS_close_range, SYS_dup2, SYS_dup3, SYS_alarm, SYS_setitimer, SYS_seccomp,
        SYS_landlock_restrict_self, SYS_prctl, SYS_arch_prctl, SYS_ptrace, SYS_personality, SYS_unshare, SYS_setns,
        SYS_chroot, SYS_pivot_root, SYS_setrlimit, SYS_prlimit64, SYS_setpriority, SYS_setuid, SYS_setgid, SYS_setreuid,
        SYS_setregid, SYS_setresuid, SYS_setresgid, SYS_setgroups, SYS_setfsuid, SYS_setfsgid, SYS_capset,
        SYS_sched_setaffinity, SYS_sched_setscheduler, SYS_sched_setparam, SYS_sched_setattr, SYS_ioprio_set,
        // what the C library keeps with the kernel for the thread
        SYS_set_tid_address, SYS_set_robust_list, SYS_rseq, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_sigaltstack,
        SYS_modify_ldt, SYS_iopl, SYS_ioperm,
        // end a process that makes them in a place that is not theirs
        335 /* uretprobe */, 336 /* uprobe */,
        // change the machine: time, names, log, modules, accounting, terminals, swap, all of the disk
        SYS_reboot, SYS_sethostname, SYS_setdomainname, SYS_settimeofday, SYS_clock_settime, SYS_adjtimex,
        SYS_clock_adjtime, SYS_syslog, SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load,
        SYS_kexec_file_load, SYS_acct, SYS_vhangup, SYS_swapon, SYS_swapoff, SYS_sync, SYS_syncfs, SYS_quotactl,
        SYS_mount, SYS_umount2,
        // remove what others have: object 0 with command 0 is IPC_RMID
        SYS_msgctl, SYS_semctl, SYS_shmctl, SYS_msgrcv, SYS_semop, SYS_semtimedop};
    return numbers;
}

// Whether $LAIO_TEST_LEAVE_OUT, "101 123", names it: where an emulator makes the calls, it is the one that crashes.
bool is_left_out_here(long number) {
    const char *given = std::getenv("LAIO_TEST_LEAVE_OUT");
    return given != nullptr &&
           (" " + std::string{given} + " ").find(" " + std::to_string(number) + " ") != std::string::npos;
}

// As a descriptor not open, as a pointer not mapped (below mmap_min_addr), as a length small.
constexpr long nowhere = 20488;
constexpr long beyond = static_cast<long>(0x8000000000000010UL); // no address at all; as an int 16

// Runs in the child.
void make_one(long number, long value) {
    SCOPED_TRACE("call " + std::to_string(number) + " with " + std::to_string(value));
    call_record *call = begin(number, value, value, value, value, value, value);
    for (int turn = 0; turn < 3 && !call->complete; ++turn) collect(1);
    if (!call->complete) {
        EXPECT_EQ(laio_cancel(call->handle), 0);
        finish(call); // ECANCELED, or what it had got by then
        return;
    }
    if (call->result.value != -1) return;
    const outcome expected = plain(number, value, value, value, value, value, value);
    EXPECT_EQ(expected.value, -1) << "the library's answer is " << call->result;
}

TEST_P(garbage, every_number) {
    for (long number = 0; number <= 500; ++number) {
        if (left_out().contains(number) || is_left_out_here(number)) continue;
        const int status = in_child([&] {
            // A file of nobody's: among the calls are fchmod(2) and fchown(2), which as root would change a real one.
            const descriptor nobodys{memfd_create("laio-garbage", MFD_CLOEXEC)};
            dup2(nobodys.get(), 0);
            if (fcntl(nowhere, F_GETFD) >= 0 || fcntl(16, F_GETFD) >= 0) return; // somebody has these numbers open here
            start_loop();
            for (const long value : {-1L, 0L, nowhere, beyond, LONG_MAX, LONG_MIN}) make_one(number, value);
            EXPECT_EQ(laio_outstanding(), 0);
            EXPECT_EQ(laio_fini(), 0);
        });
        EXPECT_EQ(status, 0) << "call " << number << ": the child ended with wait status " << status;
    }
}

// Numbers that no kernel has.
TEST_P(garbage, unknown_numbers) {
    for (const long number : {-1L, -100L, 1000L, 4095L, 1000000L, LONG_MAX, LONG_MIN, 0x40000000L, 0x100000000L}) {
        EXPECT_EQ(done(number, nowhere, nowhere, nowhere, nowhere, nowhere, nowhere), (outcome{-1, ENOSYS})) << number;
        EXPECT_EQ(laio_outstanding(), 0);
    }
}

// What our own functions are given.
TEST_P(garbage, arguments_of_our_functions) {
    EXPECT_EQ(laio_stats(nullptr), -1);
    EXPECT_EQ(laio_cancel(reinterpret_cast<laio_handle_t>(nowhere)), -1); // NOLINT(performance-no-int-to-ptr)
    laio_completion completion{};
    const timespec at_once{0, 0};
    EXPECT_EQ(laio_poll(&completion, INT_MIN, &at_once), -1);
    EXPECT_EQ(errno, EINVAL);
    EXPECT_EQ(laio_poll(nullptr, INT_MAX, &at_once), -1);
    EXPECT_EQ(errno, EFAULT);
    EXPECT_EQ(laio_poll(&completion, INT_MAX, &at_once), 0);
    laio_options options{};
    options.size = SIZE_MAX;
    EXPECT_EQ(laio_fini(), 0);
    EXPECT_EQ(laio_init(&options), -1);
    EXPECT_EQ(errno, EINVAL);
}

LAIO_CONTRACT_SUITE(garbage);

} // namespace
} // namespace laio::test
