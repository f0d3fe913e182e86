// Whether memory that an application names can be read, found out without touching it.
//
// rt_sigprocmask(2) copies eight bytes from the caller before it looks at `how`; with a `how` that does not exist it
// answers EFAULT or EINVAL and does nothing else. Lost: a handler for SIGSEGV (the signal is the application's), and
// process_vm_readv(2) (forbidden in many containers).
#pragma once

#include "kernel/system_call.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace laio {

inline bool is_readable(const void *memory, std::size_t length) {
    if (length == 0) return true;
    constexpr std::uintptr_t page_size = 4096; // the smallest there is; smaller steps than needed do no harm
    const auto first = reinterpret_cast<std::uintptr_t>(memory);
    const auto last = first + (length - 1);
    if (last < first || first < page_size) return false; // a null pointer would ask for nothing to be copied
    for (auto at = first & ~(page_size - 1);; at += page_size) {
        // eight aligned bytes never cross a page
        const auto word_at = (at < first ? first : at) & ~std::uintptr_t{7};
        if (system_call(SYS_rt_sigprocmask, -1, static_cast<long>(word_at), 0, 8) == -EFAULT) return false;
        if (last - at < page_size) return true;
    }
}

} // namespace laio
