#include "kernel/tcp_memory.hpp"

#include "kernel/clock.hpp"
#include "kernel/system_call.hpp"

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>

namespace laio {
namespace {

constexpr std::int64_t holds_ns = 10'000'000;

// The first bytes of a file, as a string. False: there is none.
template <std::size_t size> bool read_file(const char *path, char (&text)[size]) {
    const long file = system_call(SYS_openat, AT_FDCWD, word(path), O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    const long length = system_call(SYS_read, file, word(text), static_cast<long>(size) - 1);
    system_call(SYS_close, file);
    text[length > 0 ? length : 0] = '\0';
    return length > 0;
}

// The second of three numbers.
std::int64_t read_mark() {
    char text[128];
    if (!read_file("/proc/sys/net/ipv4/tcp_mem", text)) return -1;
    char *rest = nullptr;
    std::strtoll(text, &rest, 10);
    const std::int64_t mark = std::strtoll(rest, nullptr, 10);
    return mark > 0 ? mark : -1;
}

// "TCP: inuse 4 orphan 0 tw 0 alloc 6 mem 318"
std::int64_t read_used() {
    char text[1024];
    if (!read_file("/proc/net/sockstat", text)) return 0;
    const char *line = std::strstr(text, "TCP:");
    const char *used = line != nullptr ? std::strstr(line, " mem ") : nullptr;
    return used != nullptr ? std::strtoll(used + 5, nullptr, 10) : 0;
}

} // namespace

bool tcp_memory::is_short() {
    const std::int64_t now = now_ns();
    if (asked_ns_ != 0 && now - asked_ns_ < holds_ns) return is_short_;
    asked_ns_ = now;
    if (mark_ == 0) mark_ = read_mark();
    return is_short_ = mark_ > 0 && read_used() > mark_;
}

} // namespace laio
