// Restrictions that the kernel lays on one thread, asked for before the loop began, or after it, for that thread or for all
// of them (SECCOMP_FILTER_FLAG_TSYNC): no carrier that is without them carries the application.
#include "acts.hpp"
#include "journey.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace laio::test {
namespace {

using restriction_identity = identity_test;

// From now on that call is answered so. 0 or errno.
int answer_call(unsigned number, unsigned how, unsigned flags) {
    std::array<sock_filter, 4> program{{
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, number},
        {BPF_RET | BPF_K, 0, 0, how},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
    }};
    const sock_fprog filter{program.size(), program.data()};
    if (laio_syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
    return laio_syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter) == 0 ? 0 : errno;
}

int refuse_getpgid(unsigned flags) { return answer_call(SYS_getpgid, SECCOMP_RET_ERRNO | EXDEV, flags); }

const char *answer() { return syscall(SYS_getpgid, 0) < 0 && errno == EXDEV ? "refused" : "allowed"; }

int restrict_after_start(unsigned flags) {
    why_no_activations();
    journey way;
    way.leave(); // a carrier from before
    way.unblock();
    if (refuse_getpgid(flags) != 0) return 77;
    report("home %s", answer());
    way.leave();
    report(", away %s", answer());
    way.go_home();
    report(", home %s\n", answer());
    return 0;
}

LAIO_ACT(filter_home) { return restrict_after_start(0); }
LAIO_ACT(filter_all) { return restrict_after_start(SECCOMP_FILTER_FLAG_TSYNC); }
LAIO_ACT(filter_before) {
    if (refuse_getpgid(0) != 0) return 77;
    laio_fini();
    return restrict_after_start(0);
}

TEST_F(restriction_identity, seccomp_filter) {
    act_result result = run_act("filter_home");
    if (result.status == 77 << 8) GTEST_SKIP() << "no filter to be had";
    EXPECT_EQ(result.report, "home refused, away refused, home refused\n");
    result = run_act("filter_all");
    EXPECT_EQ(result.report, "home refused, away refused, home refused\n");
    result = run_act("filter_before");
    EXPECT_EQ(result.report, "home refused, away refused, home refused\n");
    EXPECT_EQ(result.status, 0);
}

// One of the library's threads ends where it asks for a scheduling policy, the others go on.
LAIO_ACT(filter_that_kills_a_thread) {
    if (answer_call(SYS_sched_setscheduler, SECCOMP_RET_KILL_THREAD, 0) != 0) return 77;
    alarm(60);
    const bool has_none = !why_no_activations().empty();
    report("%s: %s", has_none ? "no activations" : "activations", std::strerror(stats_now().activations_errno));
    const long direct = laio_syscall(SYS_faccessat, AT_FDCWD, "/", F_OK);
    report(", call %ld", direct == 0 ? 0 : next_completion().laio_return_value);
    report(", end %d\n", laio_fini());
    return 0;
}

TEST_F(restriction_identity, seccomp_filter_that_kills_a_thread) {
    const act_result result = run_act("filter_that_kills_a_thread");
    if (result.status == 77 << 8) GTEST_SKIP() << "no filter to be had";
    EXPECT_EQ(result.report, "no activations: Operation not permitted, call 0, end 0\n");
    EXPECT_EQ(result.status, 0);
}

} // namespace
} // namespace laio::test
