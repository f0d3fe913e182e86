#include "stage.hpp"

#include <linux/membarrier.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <unwind.h>

#if defined(__x86_64__)
#include <asm/hwcap2.h>
#endif

namespace laio {

constinit thread_local guest *laio_running = nullptr;

extern "C" {
[[noreturn]] void laio_activation_resume(guest *from);
void laio_activation_leave(guest *from, void (*then)(guest *));
void laio_activation_begin(guest *, void (*then)(guest *));
[[noreturn]] void laio_activation_end(guest *);
}

namespace test {
namespace {

stage *now = nullptr;

_Unwind_Reason_Code note_caller(_Unwind_Context *context, void *) {
    auto *inside = reinterpret_cast<char *>(_Unwind_GetIP(context)) - 1;
    seen.callers.push_back(_Unwind_FindEnclosingFunction(inside));
    return _URC_NO_REASON;
}

void note_callers() {
    seen.callers.clear();
    _Unwind_Backtrace(note_caller, nullptr);
}

void send(guest &to, errand what) {
    to.asked.store(static_cast<int>(what));
    to.asked.notify_one();
}

} // namespace

extern "C" {
[[gnu::visibility("hidden"), gnu::used]] void laio_activation_wake(guest *) {
    ++seen.woken;
    seen.woken_on = test::thread_pointer();
    now->asleep().store(0);
    note_callers();
}
[[gnu::visibility("hidden"), gnu::used]] long laio_activation_failed(long error) {
    seen.failed = error;
    return -1;
}
[[gnu::visibility("hidden"), gnu::used]] long laio_activation_claimed(const long *words) {
    ++seen.claimed;
    for (int i = 0; i < 7; ++i) seen.words[i] = words[i];
    note_callers();
    return -1;
}
[[gnu::visibility("hidden"), gnu::used]] void laio_activation_lost(guest *me) { now->lose(*me); }
}

pid_t kernel_thread() { return static_cast<pid_t>(syscall(SYS_gettid)); }
std::uintptr_t thread_pointer() { return reinterpret_cast<std::uintptr_t>(__builtin_thread_pointer()); }

std::string why_not() {
#if defined(__x86_64__)
    if ((getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE) == 0) return "no FSGSBASE";
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return "sanitizers know of no stack but the thread's own";
#endif
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) != 0) return "no membarrier(2)";
    return "";
}

stage::stage() : stack_(std::size_t{256} * 1024) {
    now = this;
    seen = {};
    running_ = &laio_running;
    donor_ = std::thread([this] {
        donor_pointer_.store(test::thread_pointer());
        donor_pointer_.notify_one();
        ends_.wait(false);
    });
    donor_pointer_.wait(0);
    home_.word.store(word_done);
    home_.app_tp = carrier_.app_tp = test::thread_pointer();
    home_.own_tp = home_.call_tp = donor_pointer_.load();
    home_.own_sp = reinterpret_cast<void *>(reinterpret_cast<std::uintptr_t>(stack_.data() + stack_.size()) & ~15UL);
    home_.asleep = carrier_.asleep = &asleep_;
    carrier_.word.store(word_done);
    carrier_.from = &home_;
    home_.from = &carrier_;
    thread_ = std::thread([this] {
        carrier_.own_tp = carrier_.call_tp = test::thread_pointer();
        laio_activation_begin(&carrier_, [](guest *me) { now->rest(*me); });
    });
    laio_running = &home_;
}

stage::~stage() {
    send(carrier_, errand::end);
    thread_.join();
    ends_.store(true);
    ends_.notify_one();
    donor_.join();
    laio_running = nullptr;
}

void stage::rest(guest &me) {
    for (;;) {
        int what = 0;
        while ((what = me.asked.exchange(0)) == 0) me.asked.wait(0);
        if (what == static_cast<int>(errand::end)) laio_activation_end(&me);
        if (what == static_cast<int>(errand::claim)) claim();
        *running_ = &me;
        laio_activation_resume(me.from);
    }
}

// As the engine does it.
void stage::claim() {
    std::uint64_t word = 0;
    while (!is_inside(word = home_.word.load())) std::this_thread::yield();
    home_.claim.store(word);
    syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
    if (home_.word.load() != word || !home_.claim.compare_exchange_strong(word, word + confirmed)) std::abort();
}

void stage::lose(guest &me) {
    own_ = test::thread_pointer() == me.own_tp;
    const bool is_claimed_now = me.next == nullptr;
    lost_.store(true);
    lost_.notify_one();
    if (!is_claimed_now) send(*me.next, errand::resume);
    rest(me);
}

void stage::claim_next() {
    home_.claim.store(home_.word.load() + 3 + confirmed);
    home_.next = &carrier_;
}
void stage::withdraw_next() { home_.claim.store(home_.word.load() + 3); }
void stage::claim_blocked() {
    home_.next = nullptr;
    send(carrier_, errand::claim);
}

void stage::go_home() {
    lost_.wait(false);
    lost_.store(false);
    laio_activation_leave(&carrier_, [](guest *from) {
        send(*from->from, errand::resume);
        now->rest(*from);
    });
}

} // namespace test
} // namespace laio
