#include "engines/activation/guest_thread.hpp"

#include "kernel/interruptible.hpp"
#include "kernel/system_call.hpp"
#include "kernel/thread_pointer.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <pthread.h>
#include <sys/rseq.h>

namespace laio {
namespace {

void write_number(char *&to, unsigned number) {
    char digits[10];
    int count = 0;
    do digits[count++] = static_cast<char>('0' + number % 10);
    while ((number /= 10) != 0);
    while (count > 0) *to++ = digits[--count];
}

// /proc/self/task/TID/NAME, or a negative errno.
int open_of_task(int tid, const char *name) {
    char path[64] = "/proc/self/task/";
    char *end = path + 16;
    write_number(end, static_cast<unsigned>(tid));
    *end++ = '/';
    std::strcpy(end, name);
    return static_cast<int>(system_call(SYS_openat, AT_FDCWD, word(path), O_RDONLY | O_CLOEXEC));
}

template <std::size_t size> long read_anew(int file, char (&text)[size]) {
    return system_call(SYS_pread64, file, word(text), size, 0);
}

// An allocator may have registered an area of its own. The kernel does not tell, but takes one for a thread only.
int refuse_rseq_of_others() {
    alignas(32) char area[32] = {};
    const long r = system_call(SYS_rseq, word(area), sizeof area, 0, RSEQ_SIG);
    if (r == -ENOSYS) return 0;
    if (r < 0) return -EBUSY;
    return static_cast<int>(system_call(SYS_rseq, word(area), sizeof area, RSEQ_FLAG_UNREGISTER, RSEQ_SIG));
}

// Where a thread is whose text that is: "NUMBER 0xARGUMENT ... 0xSP 0xPC\n"; 0 of one that runs.
std::uintptr_t place_of(const char *text, long length) {
    std::uintptr_t place = 0;
    unsigned shift = 0;
    for (long at = length - 2; at > 0 && text[at] != 'x' && text[at] != ' '; --at, shift += 4) {
        const auto c = static_cast<unsigned char>(text[at]);
        place |= static_cast<std::uintptr_t>(c <= '9' ? c - '0' : c - 'a' + 10) << shift;
    }
    return text[0] == 'r' ? 0 : place;
}

// Where the name ends in a thread's stat: at the last ")", for the name may have some too. `length`: there is none.
long end_of_name(const char *stat, long length) {
    for (long at = length - 1; at > 0; --at)
        if (stat[at] == ')') return at;
    return length;
}

// Whether that is what the kernel says to a thread that asks about itself: that it is in this very call. An emulator of user
// mode passes on what the kernel says of the emulator, by another machine's numbers, signals and addresses.
bool speaks_of_us(const char *text, long length) {
    long number = 0;
    long at = 0;
    for (; at < length && text[at] >= '0' && text[at] <= '9'; ++at) number = number * 10 + (text[at] - '0');
    return at > 0 && number == SYS_pread64;
}

} // namespace

std::uint64_t set_mask(std::uint64_t mask) {
    std::uint64_t before = 0;
    system_call(SYS_rt_sigprocmask, SIG_SETMASK, word(&mask), word(&before), sizeof mask);
    return before;
}

int open_files(guest &one) {
    const int tid = static_cast<int>(system_call(SYS_gettid));
    one.syscall_file = open_of_task(tid, "syscall");
    one.status_file = open_of_task(tid, "status");
    one.stat_file = open_of_task(tid, "stat");
    if (one.syscall_file < 0 && one.syscall_file != -EACCES) return one.syscall_file; // see is_blocked()
    for (const int file : {one.status_file, one.stat_file})
        if (file < 0) return file;
    if (one.syscall_file >= 0) {
        char text[16];
        const long r = read_anew(one.syscall_file, text);
        if (r < 0) return static_cast<int>(r);
        if (!speaks_of_us(text, r)) return -ENOTSUP;
    }
    thread_status own{};
    if (!read_status(one.status_file, own)) return -ENOTSUP;
    one.known = own.may;
    one.tid.store(tid);
    return 0;
}

// They are forgotten first: in the child of a fork they would be closed again.
void close_files(guest &one) {
    const int files[] = {one.syscall_file, one.status_file, one.stat_file};
    one.syscall_file = one.status_file = one.stat_file = -1;
    for (const int file : files)
        if (file >= 0) system_call(SYS_close, file);
}

// A process that has changed its ids may not open the one file (it is no longer dumpable), but its threads' stat, which says
// less. "Running" is said of a thread that would be if it were let, too.
bool is_blocked(const guest &one) {
    char text[256];
    if (one.syscall_file >= 0) {
        const long length = read_anew(one.syscall_file, text);
        return length > 0 && is_call_in_place(place_of(text, length));
    }
    const long length = read_anew(one.stat_file, text);
    const long at = end_of_name(text, length);
    return at + 2 < length && text[at + 2] != 'R';
}

// The 39th field of its stat, the 36th after its name.
int cpu_of(const guest &one) {
    char text[512];
    const long length = read_anew(one.stat_file, text);
    long at = end_of_name(text, length);
    for (int spaces = 0; at < length && spaces < 37; ++at)
        if (text[at] == ' ') ++spaces;
    int cpu = at < length ? 0 : -1;
    for (; at < length && text[at] >= '0' && text[at] <= '9'; ++at) cpu = cpu * 10 + (text[at] - '0');
    return cpu;
}

int give_up_rseq() {
    if (__rseq_size != 0) {
        const auto area = static_cast<long>(thread_pointer()) + __rseq_offset;
        const long r = system_call(SYS_rseq, area, 32, RSEQ_FLAG_UNREGISTER, RSEQ_SIG);
        if (r != -EINVAL) return r == -ENOSYS ? 0 : static_cast<int>(r);
    }
    return refuse_rseq_of_others();
}

void take_back_rseq() {
    if (__rseq_size == 0) return;
    system_call(SYS_rseq, static_cast<long>(thread_pointer()) + __rseq_offset, 32, 0, RSEQ_SIG);
}

void join(guest &one) {
    if (one.joined.exchange(1) != 0) return;
    pthread_join(one.thread, nullptr);
    one.joined.store(2);
}

} // namespace laio
