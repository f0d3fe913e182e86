// How this server makes a system call that could block: through laio_syscall(). This is the first half of Figure 2 of the
// LAIO paper, written once: a call that went to the background is given its task, so that the event loop needs no map
// from handles to tasks. The second half, what to do with the outcome, is the caller's (connection::then()).
#pragma once

#include "task.hpp"

#include <laio/laio.h>

#include <type_traits>

namespace httpd {

template <typename argument> long as_register(argument value) {
    if constexpr (std::is_null_pointer_v<argument>) return 0;
    else if constexpr (std::is_pointer_v<argument>) return reinterpret_cast<long>(value);
    else return static_cast<long>(value);
}

template <typename... arguments> outcome call(task &who, long number, arguments... args) {
    const long value = laio_syscall(number, as_register(args)...);
    if (value != -1) return {value, 0};

    const int error = errno;
    if (error == EINPROGRESS) {
        who.handle_ = laio_gethandle();
        laio_setdata(who.handle_, &who);
    }
    return {-1, error};
}

} // namespace httpd
