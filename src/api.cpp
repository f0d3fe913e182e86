// The C interface but for laio_syscall(), which is in syscall.cpp: arguments in, errno out; no logic. What each function
// promises is in <laio/laio.h> and its man page.
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

} // namespace

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
    laio::end_loop(true);
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
