#include "machine.hpp"

#include "activations.hpp"
#include "calls/table.hpp"
#include "kernel/features.hpp"
#include "kernel/interruptible.hpp"
#include "laio/laio.h"
#include "thread.hpp"
#include "trial.hpp"

#include <csignal>
#include <cstdlib>
#include <sys/utsname.h>

namespace probe {
namespace {

using laio_counts = struct laio_stats; // there is a function of this name as well

std::vector<std::string> names_of(std::uint32_t bits) {
    std::vector<std::string> names;
    for (unsigned i = 0; laio::forbidden_name(i) != nullptr; ++i)
        if ((bits >> i & 1) != 0) names.emplace_back(laio::forbidden_name(i));
    return names;
}

forbidden read_environment() {
    forbidden found;
    const char *list = secure_getenv("LAIO_FORBID"); // as the library reads it
    if (list == nullptr) return found;
    found.is_set = true;
    found.text = list;
    const char *unknown = nullptr;
    found.bits = laio::parse_forbidden(list, &unknown);
    found.names = names_of(found.bits);
    while (unknown != nullptr) {
        const std::string rest = unknown;
        const std::size_t comma = rest.find(',');
        found.unknown.push_back(rest.substr(0, comma));
        const char *next = comma == std::string::npos ? nullptr : unknown + comma + 1;
        laio::parse_forbidden(next, &unknown);
    }
    return found;
}

// ---- Features ----------------------------------------------------------------------------------------------------

struct feature {
    std::uint32_t bit;
    int laio::features::*error;
    const char *name;       // in LAIO_FORBID
    const char *system;     // the call that is asked with
    const char *since;      // the kernel that has the call
    const char *flag_since; // and that has the flag
};

constexpr feature nowait_feature{LAIO_FORBID_NOWAIT, &laio::features::nowait_errno, "nowait", "preadv2", "4.6", "4.14"};
constexpr feature cached_feature{LAIO_FORBID_CACHED, &laio::features::cached_errno, "cached", "openat2", "5.6", "5.12"};
constexpr feature pidfd_feature{LAIO_FORBID_PIDFD, &laio::features::pidfd_errno, "pidfd", "pidfd_open", "5.3", "5.3"};
constexpr feature cachestat_feature{
    LAIO_FORBID_CACHESTAT, &laio::features::cachestat_errno, "cachestat", "cachestat", "6.5", "6.5"};

std::string reason_of(const feature &asked, int error) {
    using namespace std::string_literals;
    switch (error) {
    case ECANCELED: return "forbidden by LAIO_FORBID, "s + asked.name;
    case ENOSYS: return "Linux before "s + asked.since + ", or a seccomp filter answers "s + asked.system;
    case EPERM:
    case EACCES: return "a seccomp filter or a security module refuses "s + asked.system;
    case EINVAL: return "Linux before "s + asked.flag_since;
    default: return {};
    }
}

verdict ask_feature(const feature &asked, std::uint32_t bits) {
    const std::uint32_t others = LAIO_FORBID_ALL & ~asked.bit;
    const auto got = ask_in_child([&] { return laio::ask_features((bits & asked.bit) | others).*asked.error; });
    if (got.signal != 0 || got.error != 0) return no_answer(got.signal, got.error);
    const int error = got.value;
    const state is = error == 0 ? state::usable : error == ECANCELED ? state::not_asked : state::unusable;
    return {is, is == state::not_asked ? 0 : error, 0, reason_of(asked, error)};
}

// ---- Engines -----------------------------------------------------------------------------------------------------

struct loop_made {
    int error;
    laio_counts counts;
    int cancel_signal;
};

loop_made make_a_loop(std::uint32_t forbid) {
    laio_options options{};
    options.size = sizeof options;
    options.forbid = forbid;
    loop_made made{};
    if (laio_init(&options) != 0) {
        made.error = errno;
        return made;
    }
    made.counts.size = sizeof made.counts;
    laio_stats(&made.counts);
    made.cancel_signal = laio::take_cancel_signal(0); // the one that the loop took
    laio_fini();
    return made;
}

engines examine_engines(std::uint32_t forbid) {
    engines found;
    laio_options defaults{};
    laio::complete_options(nullptr, defaults);
    found.carriers_max = defaults.carriers_max;
    found.carriers_hard_max = defaults.carriers_hard_max;
    const auto got = ask_in_child([&] { return make_a_loop(forbid); });
    if (got.signal != 0 || got.error != 0) {
        found.loop = no_answer(got.signal, got.error);
        return found;
    }
    const loop_made &made = got.value;
    if (made.error != 0) {
        found.loop = {state::unusable, made.error, 0, "laio_init() failed"};
        return found;
    }
    found.loop.is = state::usable;
    found.ring_errno = made.counts.ring_errno;
    found.cancel_signal = made.cancel_signal;
    constexpr const char *names[] = {"readiness", "ring", "carriers"};
    for (unsigned i = 0; i < std::size(names); ++i)
        if ((made.counts.engines >> i & 1) != 0) found.used.emplace_back(names[i]);
    return found;
}

} // namespace

const char *native_architecture() {
    for (const char *name : {"x86_64", "aarch64"}) {
        const laio::numbering *numbers = laio::find_numbering(name);
        if (numbers != nullptr && numbers->find == laio::find_row) return name;
    }
    return "unknown";
}

bool has_activations() {
    const std::uint32_t safe = LAIO_FORBID_ALL & ~LAIO_FORBID_ACTIVATIONS; // what they can do without
    return examine_activations(read_environment().bits | safe).is == state::usable;
}

machine examine_machine() {
    machine found;
    utsname names{};
    uname(&names);
    found.release = names.release;
    found.version = names.version;
    found.hardware = names.machine;
    found.architecture = native_architecture();
    found.forbid = read_environment();

    const std::uint32_t bits = found.forbid.bits;
    found.ring = examine_uring(bits);
    found.nowait = ask_feature(nowait_feature, bits);
    found.cached = ask_feature(cached_feature, bits);
    found.pidfd = ask_feature(pidfd_feature, bits);
    found.cachestat = ask_feature(cachestat_feature, bits);
    if ((bits & LAIO_FORBID_ATTEMPTS) != 0)
        found.attempts = {state::not_asked, 0, 0, "forbidden by LAIO_FORBID, attempts"};
    else found.attempts.is = state::usable;

    std::uint32_t deadly = 0;
    deadly |= found.ring.is.signal != 0 ? LAIO_FORBID_RING : 0;
    deadly |= found.nowait.signal != 0 ? LAIO_FORBID_NOWAIT : 0;
    deadly |= found.cached.signal != 0 ? LAIO_FORBID_CACHED : 0;
    deadly |= found.pidfd.signal != 0 ? LAIO_FORBID_PIDFD : 0;
    deadly |= found.cachestat.signal != 0 ? LAIO_FORBID_CACHESTAT : 0;
    found.activations = examine_activations(bits | deadly);
    deadly |= found.activations.signal == SIGSYS ? LAIO_FORBID_ACTIVATIONS : 0;
    found.needed = names_of(deadly);
    found.made = examine_engines(deadly);
    if (found.made.loop.is == state::usable && found.activations.is == state::usable)
        found.made.used.emplace_back("activations"); // a loop does not know before its first call in place
    return found;
}

} // namespace probe
