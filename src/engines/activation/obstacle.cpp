#include "engines/activation/obstacle.hpp"

#include "kernel/system_call.hpp"

#include <cstdint>

#if defined(__x86_64__)
#include <asm/hwcap2.h>
#include <sys/auxv.h>
#endif

// NOLINTBEGIN(bugprone-reserved-identifier): theirs
extern "C" {
[[gnu::weak]] void __asan_init();
[[gnu::weak]] void __tsan_init();
[[gnu::weak]] void __msan_init();
}
// NOLINTEND(bugprone-reserved-identifier)

namespace laio {
namespace {

// Valgrind's stable way to ask whether it is there: rotations that do nothing, and a request's address in a register. Its
// emulation of the thread pointer, and its knowledge of stacks, end at a thread's own.
bool runs_on_valgrind() {
    const volatile std::uint64_t request[6] = {0x1001}; // RUNNING_ON_VALGRIND
#if defined(__x86_64__)
    std::uint64_t answer = 0;
    asm volatile("rolq $3, %%rdi\n\trolq $13, %%rdi\n\trolq $61, %%rdi\n\trolq $51, %%rdi\n\txchgq %%rbx, %%rbx"
                 : "+d"(answer)
                 : "a"(&request[0])
                 : "cc", "memory");
#else
    register std::uint64_t answer asm("x3") = 0;
    register const volatile std::uint64_t *asked asm("x4") = request;
    asm volatile("ror x12, x12, #3\n\tror x12, x12, #13\n\tror x12, x12, #51\n\tror x12, x12, #61\n\torr x10, x10, x10"
                 : "+r"(answer)
                 : "r"(asked)
                 : "cc", "memory");
#endif
    return answer != 0;
}

// The application may have one though the library has none.
bool has_sanitizer() { return __asan_init != nullptr || __tsan_init != nullptr || __msan_init != nullptr; }

bool can_set_thread_pointer() { // by an instruction
#if defined(__x86_64__)
    return (getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE) != 0;
#else
    return true;
#endif
}

// A kernel or processor that knows of none refuses the question. The numbers are younger than some headers.
bool has_shadow_stack() {
    std::uint64_t features = 0;
#if defined(__x86_64__)
    constexpr long status = 0x5005; // ARCH_SHSTK_STATUS
    const long r = system_call(SYS_arch_prctl, status, word(&features));
#else
    constexpr long status = 74; // PR_GET_SHADOW_STACK_STATUS
    const long r = system_call(SYS_prctl, status, word(&features), 0, 0, 0);
#endif
    return r == 0 && (features & 1) != 0;
}

} // namespace

// Valgrind's processor lacks the instructions too.
activation_obstacle find_activation_obstacle() {
    if (has_sanitizer()) return activation_obstacle::sanitizer;
    if (runs_on_valgrind()) return activation_obstacle::valgrind;
    if (!can_set_thread_pointer()) return activation_obstacle::processor;
    if (has_shadow_stack()) return activation_obstacle::shadow_stack;
    return activation_obstacle::none;
}

} // namespace laio
