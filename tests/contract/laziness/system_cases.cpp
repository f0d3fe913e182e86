// The system as a whole, in ways that leave it alone whoever asks; and the numbers that stand for no call any more.
#include "laziness/cases.hpp"

#include <fcntl.h>

namespace laio::test {
namespace {

// Without its magic numbers reboot(2) does nothing; the rest is refused for its flags or its files.
void play_system_changes(stage &s) {
    s.call(SYS_reboot, 0, 0, 0, nullptr);
    s.call(SYS_kexec_load, 0, 0, nullptr, ~0UL);
    s.call(number_of("kexec_file_load"), -1, -1, 0, nullptr, ~0UL);
    s.call(SYS_init_module, nullptr, 0, nullptr);
    s.call(SYS_finit_module, -1, "", 0);
    s.call(SYS_delete_module, "laio-test-absent", O_NONBLOCK);
    s.call(SYS_sethostname, nullptr, -1);
    s.call(SYS_setdomainname, nullptr, -1);
}

void play_system_questions(stage &s) {
    s.call(SYS_bpf, -1, nullptr, 0);
    constexpr int size_of_buffer = 10;
    s.call(SYS_syslog, size_of_buffer, nullptr, 0);
    s.call(SYS_syslog, -1, nullptr, 0);
}

void play_no_calls(stage &s) {
    for (const long number :
         {number_of("uselib"), number_of("_sysctl"), number_of("create_module"), number_of("get_kernel_syms"),
          number_of("query_module"), number_of("nfsservctl"), number_of("getpmsg"), number_of("putpmsg"),
          number_of("afs_syscall"), number_of("tuxcall"), number_of("security"), number_of("vserver"),
          number_of("lookup_dcookie")})
        s.call(number);
}

} // namespace

std::span<const generality_case> lazy_system_cases() {
    static const std::vector<generality_case> cases{
        {"system_changes",
         {SYS_reboot, SYS_kexec_load, number_of("kexec_file_load"), SYS_init_module, SYS_finit_module,
          SYS_delete_module, SYS_sethostname, SYS_setdomainname},
         play_system_changes},
        {"system_questions", {SYS_bpf, SYS_syslog}, play_system_questions},
        {"no_calls",
         {number_of("uselib"), number_of("_sysctl"), number_of("create_module"), number_of("get_kernel_syms"),
          number_of("query_module"), number_of("nfsservctl"), number_of("getpmsg"), number_of("putpmsg"),
          number_of("afs_syscall"), number_of("tuxcall"), number_of("security"), number_of("vserver"),
          number_of("lookup_dcookie")},
         play_no_calls},
    };
    return cases;
}

} // namespace laio::test
