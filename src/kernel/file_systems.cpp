#include "kernel/file_systems.hpp"

#include "kernel/system_call.hpp"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>

namespace laio {
namespace {

constexpr const char *local_types[] = {"ext2",  "ext3",  "ext4",     "xfs",      "btrfs", "f2fs",
                                       "tmpfs", "ramfs", "devtmpfs", "squashfs", "erofs", "iso9660",
                                       "vfat",  "exfat", "jfs",      "hugetlbfs"};

bool is_local_type(const char *type, std::size_t length) {
    for (const char *known : local_types)
        if (std::strlen(known) == length && std::memcmp(known, type, length) == 0) return true;
    return false;
}

// The start of the n-th field of a line that ends at `end`, or `end`; fields are divided by one space.
const char *field(const char *line, const char *end, int n) {
    while (n > 0 && line < end)
        if (*line++ == ' ') --n;
    return line;
}

// One line: "36 35 98:0 /root /mount options [optional...] - type source options".
bool line_is(const char *line, const char *end, std::uint32_t device_major, std::uint32_t device_minor) {
    std::uint32_t major_found = 0;
    std::uint32_t minor_found = 0;
    const auto first = std::from_chars(field(line, end, 2), end, major_found);
    if (first.ec != std::errc{} || first.ptr == end || *first.ptr != ':') return false;
    const auto second = std::from_chars(first.ptr + 1, end, minor_found);
    if (second.ec != std::errc{} || second.ptr == end || *second.ptr != ' ') return false;
    return major_found == device_major && minor_found == device_minor;
}

// Where the type stands, which a space ends, or nullptr.
const char *type_of_line(const char *line, const char *end) {
    const char *at = field(line, end, 6);
    while (at + 1 < end && !(at[0] == '-' && at[1] == ' ')) at = field(at, end, 1);
    const char *type = field(at, end, 1);
    return std::memchr(type, ' ', static_cast<std::size_t>(end - type)) != nullptr ? type : nullptr;
}

// The whole of /proc/self/mountinfo, or false. The text belongs to the caller (free).
bool read_mountinfo(char *&text, std::size_t &length) {
    const long file = system_call(SYS_openat, AT_FDCWD, word("/proc/self/mountinfo"), O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    std::size_t room = 16384;
    text = static_cast<char *>(std::malloc(room));
    length = 0;
    long got = 1;
    while (text != nullptr && got > 0) {
        if (length == room) {
            char *larger = static_cast<char *>(std::realloc(text, room *= 2));
            if (larger == nullptr) std::free(text);
            text = larger;
            continue;
        }
        got = system_call(SYS_read, file, word(text + length), static_cast<long>(room - length));
        if (got > 0) length += static_cast<std::size_t>(got);
    }
    system_call(SYS_close, file);
    return text != nullptr;
}

} // namespace

bool mountinfo_says_local(const char *text, std::size_t length, std::uint32_t device_major,
                          std::uint32_t device_minor) {
    for (const char *end = text + length; text < end;) {
        const auto *line_end = static_cast<const char *>(std::memchr(text, '\n', static_cast<std::size_t>(end - text)));
        if (line_end == nullptr) return false; // an unfinished line says nothing
        const char *type = line_is(text, line_end, device_major, device_minor) ? type_of_line(text, line_end) : nullptr;
        if (type != nullptr) return is_local_type(type, static_cast<std::size_t>(field(type, line_end, 1) - 1 - type));
        text = line_end + 1;
    }
    return false;
}

bool file_systems::is_local(std::uint32_t device_major, std::uint32_t device_minor) {
    for (std::size_t i = 0; i < count_; ++i)
        if (known_[i].device_major == device_major && known_[i].device_minor == device_minor) return known_[i].local;
    char *text = nullptr;
    std::size_t length = 0;
    if (!read_mountinfo(text, length)) return false;
    const bool local = mountinfo_says_local(text, length, device_major, device_minor);
    std::free(text);
    const std::size_t place = count_ < capacity ? count_++ : oldest_++ % capacity;
    known_[place] = {device_major, device_minor, local};
    return local;
}

} // namespace laio
