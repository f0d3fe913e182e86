#include "engines/activation/likeness.hpp"

#include "engines/activation/guest_thread.hpp"
#include "kernel/system_call.hpp"

#include <csignal>
#include <ctime>

namespace laio {
namespace {

constexpr int thread_cancel_signal = 32; // SIGCANCEL in glibc's sources

// By the guest itself, while nobody else changes it: it may from now on what `seen` says of the other one, unless that one
// is not like that any more.
likeness become(guest &me, const guest &other, thread_status &seen) {
    const std::uint64_t mask = set_mask(~std::uint64_t{0});
    const credentials wanted = seen.may;
    const bool good = adopt(wanted);
    if (good) me.known = wanted;
    else me.membership->changed.store(true);
    const bool is_so = read_status(other.status_file, seen) && seen.may == wanted &&
                       (seen.pending & bit_of_signal(setxid_signal)) == 0;
    set_mask(mask);
    if (!is_so) return likeness::later;
    return good ? likeness::same : likeness::never;
}

} // namespace

bool is_told(const thread_status &seen) { return (seen.blocked & bit_of_signal(setxid_signal)) != 0; }

// 32, by which glibc cancels threads, is the application's matter: its clean-up may sleep.
bool catches_any(const thread_status &seen, std::uint64_t closed) {
    return (seen.caught & (closed | bit_of_signal(thread_cancel_signal))) != 0;
}

bool shows_blocked_call(const thread_status &seen, std::uint64_t closed, bool is_promised) {
    if ((seen.state != 'S' && seen.state != 'D') || is_told(seen)) return false;
    return is_promised || !catches_any(seen, closed);
}

// What it blocks is that of the application only if it is not in a handler at this moment, of the application's or the one of
// messages: so that is looked at again, with the thread seen in its call in between. It may run for a moment, from one thing
// that the call waits for to the next.
bool handles_nothing(thread_status &seen, const guest &from, std::uint64_t closed) {
    constexpr timespec between_looks{0, 50'000};
    constexpr int looks = 20;
    const auto is_open = [closed](const thread_status &now) { return (now.caught & closed & ~now.blocked) != 0; };
    if ((seen.caught & closed) == 0 && !is_told(seen)) return true;
    if (is_open(seen) || from.syscall_file < 0) return false;
    for (int i = 0; i < looks && is_inside(from.word.load()); ++i) {
        if (is_blocked(from)) {
            if (!read_status(from.status_file, seen)) return false;
            if (!is_told(seen)) return !is_open(seen) && is_inside(from.word.load());
        }
        system_call(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, word(&between_looks), 0);
    }
    return false;
}

bool is_deaf(const guest &one, std::uint64_t &mask) {
    thread_status seen{};
    if (one.syscall_file < 0 || !is_blocked(one)) return false;
    if (!read_status(one.status_file, seen) || seen.state != 'D' || !is_blocked(one)) return false;
    mask = seen.blocked;
    return true;
}

// They differ for a moment while libc's setuid(2) goes from thread to thread: that passes, and may not be undone. If it stays,
// the application changed the other one by a system call that libc knows nothing of.
likeness match(guest &me, const guest &other, thread_status &seen) {
    constexpr timespec moment{0, 1'000'000};
    for (int i = 0; i < 10; ++i) {
        const bool is_known = i == 0 && seen.state != '\0';
        if (!is_known && !read_status(other.status_file, seen)) return likeness::never;
        if (me.membership->changed.exchange(false)) {
            thread_status own{};
            if (!read_status(me.status_file, own)) return likeness::never;
            me.known = own.may;
        }
        if (me.known == seen.may) return likeness::same;
        me.membership->changed.store(true);
        system_call(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, word(&moment), 0);
    }
    return become(me, other, seen);
}

void know_oneself(guest &me) {
    thread_status own{};
    if (!me.membership->changed.exchange(false) && !differs_from(me.known)) return;
    if (read_status(me.status_file, own)) me.known = own.may;
}

} // namespace laio
