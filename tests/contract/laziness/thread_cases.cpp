// What the kernel keeps for one thread: addresses, scheduling, rights. Set to what it is, or asked for in a wrong way.
#include "laziness/cases.hpp"

#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>

namespace laio::test {
namespace {

constexpr long get_fs = 0x1003; // ARCH_GET_FS: <asm/prctl.h> is x86-64's alone

void play_thread_addresses(stage &s) {
    void *list = nullptr;
    std::size_t length = 0;
    s.call(SYS_get_robust_list, 0, &list, &length);
    s.call(SYS_set_robust_list, list, length);
    s.call(number_of("rseq"), nullptr, 0, ~0U, 0);
    s.call(number_of("rseq_slice_yield"));
    std::uintptr_t pointer = 0;
    s.call(number_of("arch_prctl"), get_fs, &pointer);
    s.note("own", static_cast<long>(pointer == reinterpret_cast<std::uintptr_t>(__builtin_thread_pointer())));
    s.call(number_of("modify_ldt"), 0, nullptr, 0);
    s.call(number_of("get_thread_area"));
    s.call(number_of("set_thread_area"));
}

constexpr int ioprio_who_process = 1;

void play_scheduling(stage &s) {
    sched_param parameter{};
    s.call(SYS_sched_getparam, 0, &parameter);
    s.call(SYS_sched_setparam, 0, &parameter);
    s.call(SYS_sched_getscheduler, 0);
    s.call(SYS_sched_setscheduler, 0, SCHED_OTHER, &parameter);
    s.call(SYS_sched_get_priority_min, SCHED_FIFO);
    timespec interval{};
    s.call(SYS_sched_rr_get_interval, 0, &interval);
    cpu_set_t cpus{};
    s.call(SYS_sched_getaffinity, 0, sizeof cpus, &cpus);
    s.call(SYS_sched_setaffinity, 0, sizeof cpus, &cpus);
    std::array<std::uint64_t, 7> attributes{};
    s.call(SYS_sched_getattr, 0, attributes.data(), sizeof attributes, 0);
    s.call(SYS_sched_setattr, 0, nullptr, 0);
    const int nice = 20 - static_cast<int>(s.call(SYS_getpriority, PRIO_PROCESS, 0));
    s.call(SYS_setpriority, PRIO_PROCESS, 0, nice);
    const long io = s.call(SYS_ioprio_get, ioprio_who_process, 0);
    s.call(SYS_ioprio_set, ioprio_who_process, 0, io);
}

void play_thread_settings(stage &s) {
    std::array<char, 16> name{};
    s.call(SYS_prctl, PR_GET_NAME, name.data(), 0, 0, 0);
    s.note("name", name.data());
    s.call(SYS_personality, 0xffffffff);
    std::uint32_t action = SECCOMP_RET_ALLOW;
    s.call(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action);
    s.call(SYS_ptrace, PTRACE_PEEKDATA, -1, nullptr, nullptr);
    s.call(SYS_perf_event_open, nullptr, 0, -1, -1, 0);
    s.call(SYS_unshare, 0);
    s.call(SYS_setns, -1, 0);
    s.call(number_of("iopl"), 0);
    s.call(number_of("ioperm"), 0, 1, 0);
    s.call(SYS_getcpu, nullptr, nullptr, nullptr);
}

} // namespace

std::span<const generality_case> lazy_thread_cases() {
    static const std::vector<generality_case> cases{
        {"thread_addresses",
         {SYS_get_robust_list, SYS_set_robust_list, number_of("rseq"), number_of("rseq_slice_yield"),
          number_of("arch_prctl"), number_of("modify_ldt"), number_of("get_thread_area"), number_of("set_thread_area")},
         play_thread_addresses},
        {"scheduling",
         {SYS_sched_getparam, SYS_sched_setparam, SYS_sched_getscheduler, SYS_sched_setscheduler,
          SYS_sched_get_priority_min, SYS_sched_rr_get_interval, SYS_sched_getaffinity, SYS_sched_setaffinity,
          SYS_sched_getattr, SYS_sched_setattr, SYS_setpriority, SYS_ioprio_get, SYS_ioprio_set},
         play_scheduling},
        {"thread_settings",
         {SYS_prctl, SYS_personality, SYS_seccomp, SYS_ptrace, SYS_perf_event_open, SYS_unshare, SYS_setns,
          number_of("iopl"), number_of("ioperm")},
         play_thread_settings},
    };
    return cases;
}

} // namespace laio::test
