#include "engines/credentials.hpp"

#include "kernel/system_call.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

namespace laio {
namespace {

// Of a text that groups make longer than this, the head has more than groups_known of them.
constexpr std::size_t text_bytes = 4096;
constexpr std::size_t head_bytes = 1024;

// A place in the text of a status file.
class reader {
public:
    reader(const char *at, const char *end) : at_(at), end_(end) {}

    // At the value of a line, which is looked for from here on: the lines come in a known order.
    bool find(const char *name) {
        const std::size_t length = __builtin_strlen(name);
        for (const char *line = at_; line + length < end_; line = next_line(line)) {
            if (__builtin_memcmp(line, name, length) != 0 || line[length] != ':') continue;
            at_ = line + length + 1;
            skip_blanks();
            return true;
        }
        return false;
    }
    bool number(std::uint64_t base, std::uint64_t &to) {
        skip_blanks();
        std::uint64_t value = 0;
        const char *begin = at_;
        for (; at_ < end_ && digit(*at_) < base; ++at_) value = value * base + digit(*at_);
        to = value;
        return at_ != begin;
    }
    [[nodiscard]] char letter() const { return at_ < end_ ? *at_ : '\0'; }

private:
    static std::uint64_t digit(char c) {
        if (c >= '0' && c <= '9') return static_cast<std::uint64_t>(c - '0');
        return c >= 'a' && c <= 'f' ? static_cast<std::uint64_t>(c - 'a' + 10) : 99;
    }
    [[nodiscard]] const char *next_line(const char *line) const {
        const void *end = __builtin_memchr(line, '\n', static_cast<std::size_t>(end_ - line));
        return end != nullptr ? static_cast<const char *>(end) + 1 : end_;
    }
    void skip_blanks() {
        while (at_ < end_ && (*at_ == ' ' || *at_ == '\t')) ++at_;
    }

    const char *at_;
    const char *end_;
};

bool four(reader &from, const char *name, std::uint32_t (&to)[4]) {
    if (!from.find(name)) return false;
    for (std::uint32_t &id : to) {
        std::uint64_t value = 0;
        if (!from.number(10, value)) return false;
        id = static_cast<std::uint32_t>(value);
    }
    return true;
}

bool set_of(reader &from, const char *name, std::uint64_t &to) { return from.find(name) && from.number(16, to); }

void groups(reader &from, credentials &to) {
    std::uint64_t group = 0;
    if (!from.find("Groups")) return;
    for (; to.group_count <= groups_known && from.number(10, group); ++to.group_count)
        if (to.group_count < groups_known) to.group[to.group_count] = static_cast<std::uint32_t>(group);
}

struct capability_sets {
    __user_cap_data_struct low, high;
};

long get_capabilities(capability_sets &to) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    return system_call(SYS_capget, word(&header), word(&to));
}

std::uint64_t joined(std::uint32_t low, std::uint32_t high) { return std::uint64_t{high} << 32 | low; }

bool same_capabilities(const capability_sets &is, const credentials &as) {
    return joined(is.low.effective, is.high.effective) == as.effective &&
           joined(is.low.permitted, is.high.permitted) == as.permitted &&
           joined(is.low.inheritable, is.high.inheritable) == as.inheritable;
}

// Needs CAP_SETPCAP, so it comes first.
void drop_bounding(const credentials &wanted, const credentials &own) {
    const std::uint64_t gone = own.bounding & ~wanted.bounding;
    for (long one = 0; gone >> one != 0 && one < 64; ++one)
        if ((gone >> one & 1) != 0) system_call(SYS_prctl, PR_CAPBSET_DROP, one, 0, 0, 0);
}

void take_ids(const credentials &wanted, const credentials &own) {
    const bool same_groups =
        own.group_count == wanted.group_count && __builtin_memcmp(own.group, wanted.group, sizeof own.group) == 0;
    if (!same_groups && wanted.group_count <= groups_known)
        system_call(SYS_setgroups, static_cast<long>(wanted.group_count), word(wanted.group));
    const std::uint32_t *gid = wanted.gid;
    const std::uint32_t *uid = wanted.uid;
    system_call(SYS_setresgid, gid[0], gid[1], gid[2]);
    if (gid[3] != gid[1]) system_call(SYS_setfsgid, gid[3]);
    system_call(SYS_setresuid, uid[0], uid[1], uid[2]);
    if (uid[3] != uid[1]) system_call(SYS_setfsuid, uid[3]);
}

void take_capabilities(const credentials &wanted) {
    capability_sets own{};
    if (get_capabilities(own) < 0 || same_capabilities(own, wanted)) return;
    const auto low = [](std::uint64_t set) { return static_cast<std::uint32_t>(set); };
    const auto high = [](std::uint64_t set) { return static_cast<std::uint32_t>(set >> 32); };
    const capability_sets next{
        {low(wanted.effective) & own.low.permitted, low(wanted.permitted) & own.low.permitted, low(wanted.inheritable)},
        {high(wanted.effective) & own.high.permitted, high(wanted.permitted) & own.high.permitted,
         high(wanted.inheritable)}};
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    system_call(SYS_capset, word(&header), word(&next));
}

void take_ambient(const credentials &wanted) {
    for (long one = 0; one < 64; ++one) {
        const bool is = system_call(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, one, 0, 0) == 1;
        const bool should = (wanted.ambient >> one & 1) != 0;
        if (is == should) continue;
        system_call(SYS_prctl, PR_CAP_AMBIENT, should ? PR_CAP_AMBIENT_RAISE : PR_CAP_AMBIENT_LOWER, one, 0, 0);
    }
}

// Replaces what follows the head of the text by the lines after the one that goes through it; their length, or 0.
long skip_line(int file, char *text) {
    char *rest = text + head_bytes;
    constexpr long rest_bytes = text_bytes - head_bytes;
    for (long offset = head_bytes;;) {
        const long length = system_call(SYS_pread64, file, word(rest), rest_bytes, offset);
        if (length <= 0) return 0;
        long at = 0;
        while (at < length && rest[at] != '\n') ++at;
        offset += at;
        if (at < length) return system_call(SYS_pread64, file, word(rest), rest_bytes, offset);
    }
}

} // namespace

bool parse_status(const char *text, std::size_t length, thread_status &to) {
    to = {};
    credentials &may = to.may;
    reader from(text, text + length);
    if (!from.find("State")) return false;
    to.state = from.letter();
    if (!four(from, "Uid", may.uid) || !four(from, "Gid", may.gid)) return false;
    groups(from, may);
    if (!set_of(from, "SigPnd", to.pending) || !set_of(from, "SigBlk", to.blocked) ||
        !set_of(from, "SigCgt", to.caught))
        return false;
    if (!set_of(from, "CapInh", may.inheritable) || !set_of(from, "CapPrm", may.permitted) ||
        !set_of(from, "CapEff", may.effective) || !set_of(from, "CapBnd", may.bounding))
        return false;
    set_of(from, "CapAmb", may.ambient); // these are from Linux 4.3, 4.10, 3.8 and 5.9
    if (from.find("NoNewPrivs")) from.number(10, may.no_new_privileges);
    if (from.find("Seccomp")) from.number(10, may.filters);
    if (from.find("Seccomp_filters")) from.number(10, may.filters);
    return true;
}

bool read_status(int file, thread_status &to) {
    char text[text_bytes];
    const long length = system_call(SYS_pread64, file, word(text), text_bytes, 0);
    if (length <= 0) return false;
    if (parse_status(text, static_cast<std::size_t>(length), to)) return true;
    if (length < static_cast<long>(text_bytes)) return false;
    const long rest = skip_line(file, text);
    return rest > 0 && parse_status(text, head_bytes + static_cast<std::size_t>(rest), to);
}

bool read_own_status(thread_status &to) {
    const long file = system_call(SYS_openat, AT_FDCWD, word("/proc/thread-self/status"), O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    const bool good = read_status(static_cast<int>(file), to);
    system_call(SYS_close, file);
    return good;
}

bool differs_from(const credentials &known) {
    std::uint32_t id[3];
    if (system_call(SYS_getresuid, word(&id[0]), word(&id[1]), word(&id[2])) < 0) return true;
    if (__builtin_memcmp(id, known.uid, sizeof id) != 0) return true;
    if (system_call(SYS_getresgid, word(&id[0]), word(&id[1]), word(&id[2])) < 0) return true;
    if (__builtin_memcmp(id, known.gid, sizeof id) != 0) return true;
    const auto groups = static_cast<std::uint64_t>(system_call(SYS_getgroups, 0, 0));
    if ((groups > groups_known ? groups_known + 1 : groups) != known.group_count) return true;
    capability_sets own{};
    if (get_capabilities(own) < 0 || !same_capabilities(own, known)) return true;
    return system_call(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != static_cast<long>(known.no_new_privileges);
}

// Ids before capabilities, since changing them changes those; and once more, for the case that the right to change the
// groups came back with the ids. no_new_privs last: it forbids nothing of this, but stays.
bool adopt(const credentials &wanted) {
    thread_status own{};
    for (int pass = 0; pass < 2; ++pass) {
        if (!read_own_status(own)) return false;
        if (own.may == wanted) return true;
        drop_bounding(wanted, own.may);
        take_ids(wanted, own.may);
        take_capabilities(wanted);
        take_ambient(wanted);
        if (wanted.no_new_privileges != 0) system_call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    }
    return read_own_status(own) && own.may == wanted;
}

bool changes_credentials(long number, const long *arguments) {
    switch (number) {
    case SYS_setuid:
    case SYS_setgid:
    case SYS_setreuid:
    case SYS_setregid:
    case SYS_setresuid:
    case SYS_setresgid:
    case SYS_setfsuid:
    case SYS_setfsgid:
    case SYS_setgroups:
    case SYS_capset:
    case SYS_landlock_restrict_self: return true;
    case SYS_seccomp: // with TSYNC the kernel sees to it
        return arguments[0] == SECCOMP_SET_MODE_FILTER &&
               (static_cast<unsigned long>(arguments[1]) &
                (SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_NEW_LISTENER)) == 0;
    case SYS_prctl:
        switch (arguments[0]) {
        case PR_SET_SECCOMP: return arguments[1] == SECCOMP_MODE_FILTER;
        case PR_SET_NO_NEW_PRIVS:
        case PR_CAPBSET_DROP:
        case PR_CAP_AMBIENT:
        case PR_SET_KEEPCAPS:
        case PR_SET_SECUREBITS: return true;
        default: return false;
        }
    default: return false;
    }
}

} // namespace laio
