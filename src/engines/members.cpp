#include "engines/members.hpp"

#include "engines/credentials.hpp"
#include "engines/push.hpp"
#include "kernel/futex.hpp"
#include "kernel/interruptible.hpp"
#include "kernel/system_call.hpp"
#include "kernel/thread_pointer.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <linux/capability.h>
#include <ucontext.h>

namespace laio {

// On the stack of the thread that asks, which waits until it is done.
struct favour {
    const credentials *become = nullptr; // or:
    long number = 0;
    const long *arguments = nullptr;
    std::atomic<int> done{0}; // a futex
};

namespace {

constexpr std::uint64_t all = ~std::uint64_t{0};
constexpr timespec patience{0, 20'000'000};
constexpr timespec between_looks{0, 50'000};
constexpr int looks = 1000;                // some 0.1 s
constexpr std::uintptr_t call_bytes = 768; // the stack of a call in place; a signal frame takes more
constexpr int answer_none = 0;
constexpr int answer_awaited = 1;
constexpr int answer_comes_later = 2;
constexpr int answer_given = 3;
constexpr int answer_needless = 4;         // it blocks them already
constexpr int patience_yields = 1'000'000; // a fork may have copied the count without the thread
constexpr int tries = 1000;                // to queue a signal where the user has too many queued

// As the kernels of both architectures have it.
struct kernel_action {
    void (*handler)(int, siginfo_t *, void *);
    unsigned long flags;
    void (*restorer)();
    std::uint64_t mask;
};

std::atomic<void (*)(int, siginfo_t *, void *)> glibc_handler{nullptr};
std::atomic<member *> members{nullptr};
std::atomic<int> expected{0};

#if defined(__x86_64__)
std::uintptr_t stack_pointer(const ucontext_t *context) {
    return static_cast<std::uintptr_t>(context->uc_mcontext.gregs[REG_RSP]);
}
#else
std::uintptr_t stack_pointer(const ucontext_t *context) { return context->uc_mcontext.sp; }
#endif

int own_tid() { return static_cast<int>(system_call(SYS_gettid)); }
int own_process() { return static_cast<int>(system_call(SYS_getpid)); }

member *find(int tid) {
    const int process = own_process();
    for (member *one = members.load(std::memory_order_acquire); one != nullptr; one = one->next)
        if (one->tid.load(std::memory_order_acquire) == tid && one->process == process) return one;
    return nullptr;
}

// A message to the member.
bool ring(int tid) {
    if (tid <= 0) return false;
    siginfo_t info{};
    info.si_signo = setxid_signal;
    info.si_code = SI_QUEUE;
    info.si_pid = own_process();
    for (int i = 0; i < tries; ++i) {
        const long r = system_call(SYS_rt_tgsigqueueinfo, info.si_pid, tid, setxid_signal, word(&info));
        if (r != -EAGAIN) return r == 0;
        system_call(SYS_sched_yield);
    }
    return false;
}

// Waits until the member has done it. False: the member is not there any more.
bool ask(member &one, favour &what) {
    const int tid = one.tid.load(std::memory_order_acquire);
    for (favour *nobody = nullptr; !one.asked.compare_exchange_weak(nobody, &what); nobody = nullptr)
        system_call(SYS_sched_yield);
    bool rung = ring(tid);
    while (what.done.load(std::memory_order_acquire) == 0) {
        favour *mine = &what;
        const bool gone = !rung || one.tid.load() != tid;
        if (gone && one.asked.compare_exchange_strong(mine, nullptr)) return false;
        rung = true; // it has taken the favour if it is not there to be taken back
        futex_wait(what.done, 0, &patience);
    }
    return true;
}

void do_favour(favour &what) {
    if (what.become != nullptr) adopt(*what.become);
    else {
        const long *a = what.arguments;
        system_call(what.number, a[0], a[1], a[2], a[3], a[4], a[5]);
    }
    std::atomic<int> &done = what.done;
    done.store(1, std::memory_order_release); // from here on it may be gone: a wake-up too many harms nobody
    futex_wake(done);
}

void answer(member &me, int what) {
    if (me.answer.exchange(what, std::memory_order_acq_rel) != answer_none) futex_wake(me.answer);
}

void block(ucontext_t *context, std::uint64_t mask) {
    __builtin_memcpy(&context->uc_sigmask, &mask, sizeof mask); // the kernel's part of it
}

// Not in a handler on top of it, which the kernel's frame puts further away.
bool is_in_call(const member &me, std::uintptr_t at) {
    const std::uintptr_t top = me.stack_top.load(std::memory_order_relaxed);
    return at <= top && top - at < call_bytes;
}

// The call that was interrupted is made again as soon as this returns, when its number may mean another file: as soon as the
// application has its answer, if it waits for one, and already, if it does not.
void keep_file(member &me, ucontext_t *context) {
    call_made_again which{};
    if (!is_made_again(*context, which)) return;
    if (me.answer.load(std::memory_order_relaxed) == answer_awaited)
        me.held.hold(which.number, static_cast<int>(which.first_argument));
    if (const int number = me.held.number(); number >= 0) set_first_argument(*context, number);
}

// The mask that the thread goes on with is the one in its context; but if a handler of the application's has begun on top
// of the call, that one's end sets another. Then the message comes once more after it: it stays blocked until there.
void change_mask(member &me, ucontext_t *context) {
    if (me.looks_after_itself.load(std::memory_order_relaxed)) return;
    const std::uint64_t mask = me.new_mask.load(std::memory_order_acquire);
    if (mask == 0) return;
    if (!is_in_call(me, stack_pointer(context))) {
        __builtin_memcpy(&me.answered, &context->uc_sigmask, sizeof me.answered); // if the call is over: tell_mask()
        answer(me, answer_comes_later);
        block(context, all);
        ring(me.tid.load());
        return;
    }
    me.new_mask.store(0, std::memory_order_relaxed);
    keep_file(me, context);
    __builtin_memcpy(&me.answered, &context->uc_sigmask, sizeof me.answered);
    block(context, mask);
    answer(me, answer_given);
}

void heed(member &me, ucontext_t *context) {
    if (favour *what = me.asked.exchange(nullptr, std::memory_order_acquire); what != nullptr) {
        me.changed.store(true, std::memory_order_relaxed);
        do_favour(*what);
    }
    change_mask(me, context);
}

// The application, which this thread carries, dropped or regained something here; home may not differ from it.
void make_home_follow(member &home) {
    thread_status own{};
    if (!read_own_status(own)) return;
    favour follow;
    follow.become = &own.may;
    ask(home, follow);
}

void on_setxid(int number, siginfo_t *info, void *context) {
    member *me = find(own_tid());
    if (info->si_code == SI_QUEUE) {
        if (me != nullptr) heed(*me, static_cast<ucontext_t *>(context));
        return;
    }
    const auto handler = glibc_handler.load(std::memory_order_acquire);
    if (me == nullptr || me->thread_pointer == 0) return handler(number, info, context);
    me->changed.store(true, std::memory_order_relaxed);
    const std::uintptr_t before = thread_pointer();
    set_thread_pointer(me->thread_pointer);
    handler(number, info, context);
    set_thread_pointer(before);
    if (me->home != nullptr && before == me->home->thread_pointer) make_home_follow(*me->home);
}

// A free one, or one of the process that this one was forked from, or a new one; taken.
member *take_member() {
    const int process = own_process();
    for (member *one = members.load(std::memory_order_acquire); one != nullptr; one = one->next) {
        int tid = one->tid.load();
        if ((tid == 0 || one->process != process) && one->tid.compare_exchange_strong(tid, -1)) return one;
    }
    auto *made = static_cast<member *>(std::calloc(1, sizeof(member)));
    if (made == nullptr) return nullptr;
    made->tid.store(-1);
    made->process = process;
    push(members, *made, &member::next);
    return made;
}

// 0 or a negative errno.
int take_setxid_signal() {
    kernel_action is{};
    if (const long r = system_call(SYS_rt_sigaction, setxid_signal, 0, word(&is), sizeof is.mask); r < 0)
        return static_cast<int>(r);
    if (is.handler == on_setxid) return 0;
    const auto none = reinterpret_cast<std::uintptr_t>(is.handler);
    if (none <= 1 || (is.flags & SA_SIGINFO) == 0) return -ENOTSUP; // not glibc
    glibc_handler.store(is.handler, std::memory_order_release);
    is.handler = on_setxid;
    is.mask = all;
    return static_cast<int>(system_call(SYS_rt_sigaction, setxid_signal, word(&is), 0, sizeof is.mask));
}

} // namespace

member *join_members(std::uintptr_t thread_pointer, member *home, const void *crew) {
#if defined(__SANITIZE_THREAD__)
    return nullptr;
#endif
    member *one = take_setxid_signal() == 0 ? take_member() : nullptr;
    if (one == nullptr) return nullptr;
    one->process = own_process();
    one->thread_pointer = thread_pointer;
    one->home = home;
    one->crew = crew;
    one->asked.store(nullptr);
    one->stack_top.store(0);
    one->changed.store(false);
    one->held.reset();
    one->new_mask.store(0);
    one->answer.store(answer_none);
    one->looks_after_itself.store(false);
    one->tid.store(own_tid(), std::memory_order_release);
    return one;
}

void expect_member() { expected.fetch_add(1); }
void expect_no_member() { expected.fetch_sub(1); }

void leave_members(member &one) { one.tid.store(0); }

void ask_for_mask(member &one, std::uint64_t mask) {
    one.new_mask.store(mask, std::memory_order_release);
    ring(one.tid.load());
}

void close_mask(member &one, std::uint64_t mask, const guest &its, deaf_question is_deaf, std::uint64_t &to) {
    int none = answer_none;
    one.new_mask.store(mask, std::memory_order_release);
    if (one.answer.compare_exchange_strong(none, answer_awaited) && !ring(one.tid.load())) return;
    for (int i = 0;; ++i) {
        const int is = one.answer.load(std::memory_order_acquire);
        if (is == answer_given || is == answer_needless) break;
        const bool asked = is == answer_awaited;
        // the message comes before any other when that ends; if that was just now, it told
        if (asked && is_deaf(its, to) && one.answer.load(std::memory_order_acquire) == answer_awaited) return;
        if (asked && i == looks) return;
        futex_wait(one.answer, is, asked ? &between_looks : nullptr);
    }
    to = one.answered;
}

void begin_to_look_after_itself(member &one) { one.looks_after_itself.store(true); }

// A message that came between the call and this has told already, and blocked all signals.
void tell_mask(member &one, std::uint64_t mask) {
    const int is = one.answer.load(std::memory_order_relaxed);
    if (is != answer_given && is != answer_comes_later) one.answered = mask;
}

void looks_after_itself(member &one, bool does) {
    if (does) {
        one.looks_after_itself.store(true);
        answer(one, answer_needless);
    } else {
        one.new_mask.store(0);
        one.answer.store(answer_none);
        one.held.reset();
        one.looks_after_itself.store(false);
    }
}

void make_everywhere(const void *crew, long number, const long *arguments) {
    const int me = own_tid();
    const int process = own_process();
    long a[6];
    __builtin_memcpy(a, arguments, sizeof a);
    __user_cap_header_struct header;
    if (number == SYS_capset) { // which may name the thread that it is about
        header = {pointer<const __user_cap_header_struct>(a[0])->version, 0};
        a[0] = word(&header);
    }
    for (int i = 0; i < patience_yields && expected.load() > 0; ++i) system_call(SYS_sched_yield);
    for (member *one = members.load(std::memory_order_acquire); one != nullptr; one = one->next) {
        const int tid = one->tid.load(std::memory_order_acquire);
        if (tid <= 0 || tid == me || one->process != process || one->crew != crew) continue;
        favour same;
        same.number = number;
        same.arguments = a;
        ask(*one, same);
    }
}

} // namespace laio
