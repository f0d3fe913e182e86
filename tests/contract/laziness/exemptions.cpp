// The calls that the laziness tests do not make.
#include "laziness/cases.hpp"

namespace laio::test {

std::span<const exempt_call> exempt_calls() {
    static const std::vector<exempt_call> calls{
        {"sync", "waits for whatever the whole machine has to write"},
        {"exit", "ends the thread"},
        {"exit_group", "ends the process"},
        {"fork", "makes a second process in the midst of a test: fork_test has it"},
        {"vfork", "the child would return into the parent's frame: fork_test has it"},
        {"setsid", "takes the tests away from their terminal"},
        {"vhangup", "hangs up the terminal of whoever runs the tests as root"},
        {"pause", "never returns at once: it waits for a signal that comes later"},
        {"rt_sigreturn", "is for the end of a signal handler only: it loads the registers from the stack"},
        {"restart_syscall", "is for the kernel's own use: it would go on with whatever a signal interrupted last"},
        {"set_tid_address", "the address is the C library's, which cannot be asked for it"},
        {"uretprobe", "raises a signal unless the kernel's own trampoline makes it"},
        {"uprobe", "raises a signal unless the kernel's own trampoline makes it"},
    };
    return calls;
}

} // namespace laio::test
