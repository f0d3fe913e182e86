// The C interface: arguments in, errno out; no logic. What each function promises is in <laio/laio.h> and its man page.
#include "kernel/system_call.hpp"
#include "loop.hpp"
#include "thread.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace {

using laio::current_loop;
using laio::loop;

// A result of the kernel's kind as one of libc's.
template <class T> T answer(T result) {
    if (result >= 0 || result < -4095) return result;
    errno = static_cast<int>(-result);
    return -1;
}

// A call before the thread has a loop. Without one to be had, what needs none still works.
[[gnu::noinline]] long first_call(long number, const long *a) {
    const int r = laio::make_loop(nullptr);
    if (r == 0) return current_loop()->make(number, a);
    const laio::row *what = laio::find_row(number);
    const bool in_place = what != nullptr && (what->way == laio::route::direct || what->way == laio::route::home);
    return in_place ? laio::system_call(number, a[0], a[1], a[2], a[3], a[4], a[5]) : r;
}

} // namespace

// laio_syscall() itself. Callers see a variadic function; the calling conventions that we know pass its arguments where
// they pass those of this one, and walking a va_list cost more than the rest of a direct call. syscall(2) does the same.
extern "C" LAIO_API long laio_syscall_words(long number, long a0, long a1, long a2, long a3, long a4,
                                            long a5) __asm__("laio_syscall");

long laio_syscall_words(long number, long a0, long a1, long a2, long a3, long a4, long a5) {
    const long a[6] = {a0, a1, a2, a3, a4, a5};
    loop *its = current_loop();
    return answer(its != nullptr ? its->make(number, a) : first_call(number, a));
}

extern "C" {

laio_handle_t laio_gethandle(void) {
    const loop *its = current_loop();
    return its != nullptr ? its->handle() : nullptr;
}

int laio_poll(struct laio_completion *completions, int length, const struct timespec *timeout) {
    if (current_loop() == nullptr) {
        if (const int r = laio::make_loop(nullptr); r < 0) return answer(r);
    }
    return answer(current_loop()->poll(completions, length, timeout));
}

int laio_setdata(laio_handle_t handle, void *data) {
    loop *its = current_loop();
    return answer(its != nullptr ? its->set_data(handle, data) : -EINVAL);
}

int laio_cancel(laio_handle_t handle) {
    loop *its = current_loop();
    return answer(its != nullptr ? its->cancel(handle) : -EINVAL);
}

int laio_fd(void) {
    if (current_loop() == nullptr) {
        if (const int r = laio::make_loop(nullptr); r < 0) return answer(r);
    }
    return current_loop()->descriptor();
}

int laio_outstanding(void) {
    const loop *its = current_loop();
    return its != nullptr ? its->outstanding() : 0;
}

int laio_init(const struct laio_options *options) { return answer(laio::make_loop(options)); }

int laio_fini(void) {
    laio::end_loop();
    return 0;
}

int laio_stats(struct laio_stats *stats) {
    if (stats == nullptr) return answer(-EFAULT);
    if (stats->size < sizeof stats->size) return answer(-EINVAL);
    struct laio_stats counted {};
    if (loop *its = current_loop(); its != nullptr) its->count(counted);
    const std::size_t size = std::min(stats->size, sizeof counted);
    counted.size = size;
    std::memcpy(stats, &counted, size);
    return 0;
}

} // extern "C"
