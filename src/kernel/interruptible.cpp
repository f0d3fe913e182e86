// The cancel signal: one real-time signal for the whole process. Its handler runs on carriers only, which are the only
// threads of ours that let it through; on any other thread it does nothing.
#include "kernel/interruptible.hpp"

#include "kernel/clock.hpp"
#include "kernel/system_call.hpp"

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <ucontext.h>
#include <unistd.h>

namespace laio {
namespace {

std::atomic<int> taken_signal{0};
std::atomic<std::uintptr_t> in_place_begin{0};
std::atomic<std::uintptr_t> in_place_end{0};

#if defined(__x86_64__)
std::uintptr_t program_counter(const ucontext_t *context) {
    return static_cast<std::uintptr_t>(context->uc_mcontext.gregs[REG_RIP]);
}
void set_program_counter(ucontext_t *context, const char *to) {
    context->uc_mcontext.gregs[REG_RIP] = reinterpret_cast<greg_t>(to);
}
void set_result(ucontext_t *context, long value) { context->uc_mcontext.gregs[REG_RAX] = value; }
long number_of(const ucontext_t &context) { return context.uc_mcontext.gregs[REG_RAX]; }
long first_argument(const ucontext_t &context) { return context.uc_mcontext.gregs[REG_RDI]; }
using instruction_word = std::uint16_t;
constexpr instruction_word system_call_instruction = 0x050f; // syscall
#else
std::uintptr_t program_counter(const ucontext_t *context) { return context->uc_mcontext.pc; }
void set_program_counter(ucontext_t *context, const char *to) {
    context->uc_mcontext.pc = reinterpret_cast<std::uintptr_t>(to);
}
void set_result(ucontext_t *context, long value) { context->uc_mcontext.regs[0] = static_cast<std::uint64_t>(value); }
long number_of(const ucontext_t &context) { return static_cast<long>(context.uc_mcontext.regs[8]); }
long first_argument(const ucontext_t &context) { return static_cast<long>(context.uc_mcontext.regs[0]); }
using instruction_word = std::uint32_t;
constexpr instruction_word system_call_instruction = 0xd4000001; // svc #0
#endif

bool is_system_call_instruction(std::uintptr_t at) {
    instruction_word found = 0;
    __builtin_memcpy(&found, reinterpret_cast<const void *>(at), sizeof found);
    return found == system_call_instruction;
}

// The kernel, having run another handler, is about to make a call in place again, which nobody would interrupt any more.
void end_call_in_place(ucontext_t *context, std::uintptr_t at) {
    if (!is_system_call_instruction(at)) return;
    set_result(context, -EINTR);
    set_program_counter(context, reinterpret_cast<const char *>(at + sizeof(instruction_word)));
}

void on_cancel(int, siginfo_t *, void *where) {
    auto *context = static_cast<ucontext_t *>(where);
    const auto at = program_counter(context);
    if (at >= reinterpret_cast<std::uintptr_t>(laio_interruptible_begin) &&
        at < reinterpret_cast<std::uintptr_t>(laio_interruptible_end))
        set_program_counter(context, laio_interruptible_cancelled);
    else if (is_call_in_place(at)) end_call_in_place(context, at);
}

bool install(int number) {
    struct sigaction action {};
    action.sa_sigaction = on_cancel;
    action.sa_flags = SA_SIGINFO; // without SA_RESTART: the interrupted call has to end
    sigemptyset(&action.sa_mask);
    return sigaction(number, &action, nullptr) == 0;
}

// Ours as well: another thread may be about to take it.
bool is_free(int number) {
    struct sigaction action {};
    if (sigaction(number, nullptr, &action) != 0) return false;
    return action.sa_flags & SA_SIGINFO ? action.sa_sigaction == on_cancel : action.sa_handler == SIG_DFL;
}

// An emulator of user mode takes handlers for more signals than it can send (qemu: SIGRTMAX is one of these).
bool is_sendable(int number) {
    sigset_t only;
    sigset_t before;
    sigemptyset(&only);
    sigaddset(&only, number);
    pthread_sigmask(SIG_BLOCK, &only, &before);
    const long r = system_call(SYS_tgkill, getpid(), system_call(SYS_gettid), number);
    if (r == 0) sigtimedwait(&only, nullptr, &no_time);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return r != -EINVAL;
}

} // namespace

void set_calls_in_place(const void *begin, const void *end) {
    in_place_begin.store(reinterpret_cast<std::uintptr_t>(begin));
    in_place_end.store(reinterpret_cast<std::uintptr_t>(end));
}

bool is_call_in_place(std::uintptr_t at) {
    return at >= in_place_begin.load(std::memory_order_relaxed) && at < in_place_end.load(std::memory_order_relaxed);
}

bool is_made_again(const ucontext_t &context, call_made_again &which) {
    const std::uintptr_t at = program_counter(&context);
    if (!is_call_in_place(at) || !is_system_call_instruction(at)) return false;
    which = {number_of(context), first_argument(context)};
    return true;
}

void set_first_argument(ucontext_t &context, long value) {
#if defined(__x86_64__)
    context.uc_mcontext.gregs[REG_RDI] = value;
#else
    context.uc_mcontext.regs[0] = static_cast<std::uint64_t>(value);
#endif
}

int take_cancel_signal(int number) {
    if (number != 0 && (number < SIGRTMIN || number > SIGRTMAX)) return -EINVAL;
    int taken = taken_signal.load();
    if (taken == 0) {
        int chosen = number != 0 ? number : SIGRTMAX;
        while (number == 0 && chosen >= SIGRTMIN && !(is_free(chosen) && is_sendable(chosen))) --chosen;
        if (chosen < SIGRTMIN) return -EBUSY;
        if (!is_free(chosen)) return -EBUSY;
        // The handler comes first: as soon as the signal counts as taken, another thread may send it.
        if (!install(chosen)) return -EINVAL;
        if (taken_signal.compare_exchange_strong(taken, chosen)) return chosen;
        if (taken != chosen) std::signal(chosen, SIG_DFL);
    }
    return number == 0 || number == taken ? taken : -EBUSY;
}

} // namespace laio
