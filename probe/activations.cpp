#include "activations.hpp"

#include "engines/activation/guest_thread.hpp"
#include "engines/activation/obstacle.hpp"
#include "kernel/system_call.hpp"
#include "laio/laio.h"
#include "trial.hpp"

#include <csignal>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>

namespace probe {
namespace {

constexpr unsigned patience_s = 10;    // for what takes less than a millisecond
using laio_counts = struct laio_stats; // there is a function of this name as well

// ---- What is there without asking --------------------------------------------------------------------------------

std::string reason_not_supported() {
    switch (laio::find_activation_obstacle()) {
    case laio::activation_obstacle::processor:
        return "the processor, or the kernel for it, has no FSGSBASE: the thread pointer cannot be changed";
    case laio::activation_obstacle::sanitizer:
        return "a sanitizer is in the program, which knows no stack but a thread's own";
    case laio::activation_obstacle::valgrind: return "Valgrind is there, which knows no stack but a thread's own";
    case laio::activation_obstacle::shadow_stack:
        return "the processor guards return addresses by a shadow stack, which knows no stack but a thread's own";
    case laio::activation_obstacle::none: break;
    }
    return "not with this C library, or under an emulator, or /proc says too little of threads";
}

// ---- What can be refused -----------------------------------------------------------------------------------------

void *do_nothing(void *) { return nullptr; }

struct question {
    const char *about;
    long (*ask)(); // a negative errno: refused
    bool is_needed;
};

constexpr question questions[] = {
    {"membarrier(2)", [] { return laio::system_call(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0); },
     true},
    {"sched_setscheduler(2)",
     [] {
         const sched_param none{};
         return laio::system_call(SYS_sched_setscheduler, 0, SCHED_IDLE, laio::word(&none));
     },
     true},
    {"sched_setaffinity(2)",
     [] {
         cpu_set_t here;
         const long size = laio::system_call(SYS_sched_getaffinity, 0, sizeof here, laio::word(&here));
         return size < 0 ? size : laio::system_call(SYS_sched_setaffinity, 0, size, laio::word(&here));
     },
     false},
    {"rseq(2)", [] { return static_cast<long>(laio::give_up_rseq()); }, true},
    {"/proc/self/task",
     [] {
         laio::guest one{};
         return static_cast<long>(laio::open_files(one));
     },
     true},
    {"another thread",
     [] {
         pthread_t thread{};
         const int error = pthread_create(&thread, nullptr, do_nothing, nullptr);
         if (error == 0) pthread_join(thread, nullptr);
         return static_cast<long>(-error);
     },
     true},
};

// The first that is refused, or that kills who asks.
verdict find_refused(verdict otherwise) {
    for (const question &one : questions) {
        const auto got = ask_in_child(one.ask);
        if (got.signal == SIGSYS)
            return {state::unusable, 0, SIGSYS, std::string("a seccomp filter kills who asks for ") + one.about};
        if (got.signal != 0 || got.error != 0 || got.value >= 0 || !one.is_needed) continue;
        const int error = static_cast<int>(-got.value);
        if (error == EBUSY) return {state::unusable, error, 0, "another library uses rseq(2)"};
        return {state::unusable, error, 0, std::string(one.about) + " is refused or not there"};
    }
    return otherwise;
}

// ---- The trial ---------------------------------------------------------------------------------------------------

struct blocked_call {
    int error; // nothing could be tried
    laio_counts counts;
};

// Who is not taken out of the call is ended by the alarm.
blocked_call make_a_call_block(std::uint32_t forbid) {
    std::signal(SIGALRM, SIG_DFL);
    sigset_t open;
    sigemptyset(&open);
    sigprocmask(SIG_SETMASK, &open, nullptr);
    alarm(patience_s);

    blocked_call tried{};
    laio_options options{};
    options.size = sizeof options;
    options.forbid = forbid;
    int from[2];
    int to[2];
    if (pipe(from) != 0 || pipe(to) != 0 || laio_init(&options) != 0) {
        tried.error = errno;
        return tried;
    }
    laio_syscall(SYS_splice, from[0], nullptr, to[1], nullptr, 1UL, 0UL);
    if (write(from[1], "l", 1) != 1) tried.error = errno;
    laio_completion done{};
    while (laio_outstanding() > 0 && laio_poll(&done, 1, nullptr) < 1) {}
    tried.counts.size = sizeof tried.counts;
    laio_stats(&tried.counts);
    laio_fini();
    return tried;
}

} // namespace

verdict examine_activations(std::uint32_t forbid) {
    if ((forbid & LAIO_FORBID_ACTIVATIONS) != 0)
        return {state::not_asked, 0, 0, "forbidden by LAIO_FORBID, activations"};
    const auto got = ask_in_child([&] { return make_a_call_block(forbid); });
    if (got.signal == SIGALRM)
        return find_refused({state::unusable, 0, 0, "a call that blocked in place was not left behind"});
    if (got.signal != 0 || got.error != 0) {
        const verdict none = no_answer(got.signal, got.error);
        return got.signal == SIGSYS ? find_refused(none) : none;
    }
    const blocked_call &tried = got.value;
    if (tried.error != 0) return {state::not_asked, tried.error, 0, "no call to try it with"};
    const int error = tried.counts.activations_errno;
    if (error == ENOTSUP) return {state::unusable, error, 0, reason_not_supported()};
    if (error != 0) return find_refused({state::unusable, error, 0, {}});
    if (tried.counts.claims == 0)
        return {state::unusable, 0, 0, "a call that blocked was queued: no thread to stand by"};
    return {state::usable, 0, 0, {}};
}

} // namespace probe
