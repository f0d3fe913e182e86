// Restrictions that the kernel lays on one thread, asked for before the loop began, or after it, for that thread or for all
// of them (SECCOMP_FILTER_FLAG_TSYNC): no carrier that is without them carries the application.
#include "acts.hpp"
#include "journey.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace laio::test {
namespace {

using restriction_identity = identity_test;

// From now on getpgid(2) is refused. 0 or errno.
int refuse_getpgid(unsigned flags) {
    std::array<sock_filter, 4> program{{
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(seccomp_data, nr)},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_getpgid},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EXDEV},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
    }};
    const sock_fprog filter{program.size(), program.data()};
    if (laio_syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
    return laio_syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter) == 0 ? 0 : errno;
}

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

} // namespace
} // namespace laio::test
