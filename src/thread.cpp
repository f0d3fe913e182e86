#include "thread.hpp"

#include "kernel/features.hpp"
#include "kernel/system_call.hpp"
#include "loop.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <pthread.h>
#include <sys/mman.h>

namespace laio {

constinit thread_local thread_state this_thread{};

namespace {

constexpr unsigned no_process = 0;
std::atomic<unsigned> processes{0};
std::atomic<volatile unsigned *> mark{nullptr};
pthread_key_t at_thread_end;
int set_up_errno = 0;

void on_thread_end(void *) { end_loop(false); }

// Where MADV_WIPEONFORK is not known, or accepted and not done (emulators): fork(3) at least is noticed.
void on_fork() { *mark.load() = no_process; }

void set_up() {
    set_up_errno = pthread_key_create(&at_thread_end, on_thread_end);
    if (set_up_errno != 0) return;
    void *page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        set_up_errno = ENOMEM;
        return;
    }
    madvise(page, 4096, MADV_WIPEONFORK); // since Linux 4.14
    mark.store(static_cast<volatile unsigned *>(page));
    process_number = static_cast<volatile unsigned *>(page);
    set_up_errno = pthread_atfork(nullptr, nullptr, on_fork);
}

// Once a process and again in the child of a fork, where the mark is clear.
int enter_process() {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, set_up);
    if (set_up_errno != 0) return -set_up_errno;
    if (*mark.load() == no_process) *mark.load() = ++processes;
    return 0;
}

// The loop that the forking thread had; its descriptors here are copies.
void give_up_copy() {
    if (this_thread.its_loop == nullptr) return;
    this_thread.its_loop->abandon();
    this_thread.its_loop->~loop();
    std::free(this_thread.its_loop);
    this_thread = {};
}

bool is_in(std::uint32_t value, std::uint32_t least, std::uint32_t most) { return value >= least && value <= most; }

} // namespace

const volatile unsigned *process_number = &no_process;

int complete_options(const laio_options *given, laio_options &o) {
    o = {};
    if (given != nullptr) {
        const std::size_t size = given->size;
        if (size < offsetof(laio_options, operations_max) || size > 4096) return -EINVAL;
        const auto *bytes = reinterpret_cast<const unsigned char *>(given);
        for (std::size_t i = sizeof o; i < size; ++i)
            if (bytes[i] != 0) return -EINVAL; // an option of a later version
        std::memcpy(&o, given, size < sizeof o ? size : sizeof o);
    }
    o.size = sizeof o;
    const auto set = [](std::uint32_t &option, std::uint32_t value) {
        if (option == 0) option = value;
    };
    set(o.operations_max, 1'048'576);
    set(o.ring_entries, 256);
    set(o.carriers_max, 64);
    set(o.carriers_hard_max, 1024);
    set(o.carrier_idle_ms, 10'000);
    const bool valid = (o.flags & ~LAIO_FLAGS_ALL) == 0 && (o.forbid & ~LAIO_FORBID_ALL) == 0 &&
                       is_in(o.operations_max, 1, 16'777'214) && is_in(o.ring_entries, 1, 32'768) &&
                       is_in(o.carriers_max, 1, 32'768) && is_in(o.carriers_hard_max, 1, 32'768) &&
                       (o.cancel_signal == 0 || is_in(o.cancel_signal, static_cast<std::uint32_t>(SIGRTMIN),
                                                      static_cast<std::uint32_t>(SIGRTMAX)));
    if (!valid) return -EINVAL;
    o.forbid |= parse_forbidden(secure_getenv("LAIO_FORBID"), nullptr);
    return 0;
}

int make_loop(const laio_options *options) {
    if (const int r = enter_process(); r < 0) return r;
    if (current_loop() != nullptr) return -EALREADY;
    give_up_copy();
    laio_options complete;
    if (const int r = complete_options(options, complete); r < 0) return r;
    void *memory = std::aligned_alloc(alignof(loop), sizeof(loop));
    if (memory == nullptr) return -ENOMEM;
    auto *made = new (memory) loop(complete);
    int r = made->open();
    if (r == 0) r = -pthread_setspecific(at_thread_end, made);
    if (r < 0) {
        made->~loop();
        std::free(memory);
        return r;
    }
    this_thread = {made, *process_number};
    return 0;
}

void end_loop(bool goes_on) {
    loop *its = current_loop();
    if (its == nullptr) return give_up_copy();
    its->finish();
    const bool had_ring = its->has_ring();
    its->~loop();
    if (had_ring && goes_on) ring::wait_for_last_work();
    std::free(its);
    this_thread = {};
    pthread_setspecific(at_thread_end, nullptr);
}

} // namespace laio
