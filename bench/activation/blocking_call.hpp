// A call that blocks until it is let go: a splice(2) of one byte from an empty pipe into another one, which the library
// has to make in place. Everything about it is checked.
#pragma once

#include "common/channel.hpp"
#include "common/failure.hpp"
#include "threads.hpp"

#include <laio/laio.h>

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace laio::bench {

class blocking_call {
public:
    // Nanoseconds from the entry of laio_syscall() to its return.
    double begin() {
        const double entered = wall_ns();
        const long result = laio_syscall(SYS_splice, from_.reader.get(), nullptr, to_.writer.get(), nullptr, 1L, 0L);
        const int error = errno;
        const double returned = wall_ns();
        handle_ = laio_gethandle();
        if (result != -1 || error != EINPROGRESS || handle_ == nullptr)
            fail("splice from an empty pipe gave {} ({}) and not EINPROGRESS", result, error_text(error));
        return returned - entered;
    }

    void end() {
        const char sent = ++byte_;
        if (::write(from_.writer.get(), &sent, 1) != 1) fail("write: {}", error_text(errno));
        laio_completion completion;
        int count = 0;
        while ((count = laio_poll(&completion, 1, nullptr)) < 0 && errno == EINTR) {}
        char got = 0;
        if (count != 1 || completion.laio_handle != handle_ || completion.laio_return_value != 1)
            fail("laio_poll gave {}, with result {}, for a splice of one byte", count, completion.laio_return_value);
        if (::read(to_.reader.get(), &got, 1) != 1 || got != sent) fail("splice moved another byte");
    }

private:
    channel from_ = make_channel(channel_kind::pipe);
    channel to_ = make_channel(channel_kind::pipe);
    laio_handle_t handle_ = nullptr;
    char byte_ = 0;
};

} // namespace laio::bench
