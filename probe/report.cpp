#include "report.hpp"

#include "laio/laio.h"

#include <csignal>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace probe {
namespace {

using json = nlohmann::ordered_json;

std::string line(const char *what, const std::string &says) { return fmt::format("{:<22}{}\n", what, says); }

std::string listed(const std::vector<std::string> &names) {
    return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

std::string ring_as_text(const uring &ring) {
    std::string text = line("io_uring", in_words(ring.is));
    if (ring.sysctl) text += line("  io_uring_disabled", std::to_string(*ring.sysctl));
    if (ring.is.is != state::usable) return text;
    text += line("  set up with", listed(ring.setup));
    text += line("  requests", listed(ring.requests));
    text += line("  requests not known", listed(ring.unsupported));
    return text;
}

std::string signal_in_words(int number) {
    const int below = SIGRTMAX - number;
    return fmt::format("{} (SIGRTMAX{})", number, below == 0 ? "" : fmt::format("-{}", below));
}

std::string engines_as_text(const engines &made) {
    if (made.loop.is != state::usable) return line("engines", "no loop can be made, " + in_words(made.loop));
    return line("engines", listed(made.used)) +
           line("  carriers",
                fmt::format("at most {}, {} when calls wait long", made.carriers_max, made.carriers_hard_max)) +
           line("  cancel signal", signal_in_words(made.cancel_signal));
}

std::string path_as_text(const path_report &at) {
    std::string text = "\n" + at.path + "\n";
    if (at.error != 0) return text + line("  cannot be looked at", errno_name(at.error));
    const std::string type = at.file_system.empty() ? "unknown" : at.file_system;
    text += line("  kind", at.kind);
    text += line("  file system", at.mount_point.empty() ? type : type + ", mounted on " + at.mount_point);
    text += line("  local to laio", at.is_local ? "yes" : "no: questions about its files may wait for somebody else");
    text += line("  RWF_NOWAIT read", in_words(at.read));
    text += line("  RESOLVE_CACHED open", in_words(at.open));
    text += line("  RWF_NOWAIT write", in_words(at.write));
    return text;
}

// ---- JSON --------------------------------------------------------------------------------------------------------

json name_or_null(const std::string &name) { return name.empty() ? json(nullptr) : json(name); }

json as_json(const verdict &of) {
    json object;
    object["usable"] = of.is == state::not_asked ? json(nullptr) : json(of.is == state::usable);
    object["errno"] = of.error != 0 ? json(errno_name(of.error)) : json(nullptr);
    object["signal"] = of.signal != 0 ? json(signal_name(of.signal)) : json(nullptr);
    object["reason"] = name_or_null(of.reason);
    return object;
}

json as_json(const uring &ring) {
    json object = as_json(ring.is);
    object["io_uring_disabled"] = ring.sysctl ? json(*ring.sysctl) : json(nullptr);
    object["setup_flags"] = ring.setup;
    object["requests"] = ring.requests;
    object["requests_unknown"] = ring.unsupported;
    return object;
}

json as_json(const engines &made) {
    json object;
    object["loop"] = as_json(made.loop);
    object["in_use"] = made.used;
    object["ring_errno"] = made.ring_errno != 0 ? json(errno_name(made.ring_errno)) : json(nullptr);
    object["carriers_max"] = made.carriers_max;
    object["carriers_hard_max"] = made.carriers_hard_max;
    object["cancel_signal"] = made.cancel_signal != 0 ? json(made.cancel_signal) : json(nullptr);
    return object;
}

json as_json(const path_report &at) {
    json object;
    object["path"] = at.path;
    object["errno"] = at.error != 0 ? json(errno_name(at.error)) : json(nullptr);
    if (at.error != 0) return object;
    object["kind"] = at.kind;
    object["file_system"] = name_or_null(at.file_system);
    object["mount_point"] = name_or_null(at.mount_point);
    object["local"] = at.is_local;
    object["rwf_nowait_read"] = as_json(at.read);
    object["resolve_cached_open"] = as_json(at.open);
    object["rwf_nowait_write"] = as_json(at.write);
    return object;
}

json forbid_as_json(const machine &here) {
    const forbidden &forbid = here.forbid;
    json object;
    object["environment"] = forbid.is_set ? json(forbid.text) : json(nullptr);
    object["names"] = forbid.names;
    object["unknown"] = forbid.unknown;
    object["needed"] = here.needed;
    return object;
}

} // namespace

std::string version() { return fmt::format("{}.{}.{}", LAIO_VERSION_MAJOR, LAIO_VERSION_MINOR, LAIO_VERSION_PATCH); }

std::string report_as_text(const machine &here, const std::vector<path_report> &paths) {
    const forbidden &forbid = here.forbid;
    std::string text = line(
        "laio", fmt::format("{} for {}{}", version(), here.architecture, LAIO_HAS_URING ? "" : ", without liburing"));
    text += line("kernel", fmt::format("Linux {}, {}", here.release, here.hardware));
    text += line("LAIO_FORBID", forbid.is_set ? fmt::format("\"{}\"", forbid.text) : "not set");
    if (forbid.is_set) text += line("  forbids", listed(forbid.names));
    if (!forbid.unknown.empty()) text += line("  names not known", listed(forbid.unknown));
    if (!here.needed.empty()) text += line("  needed here", listed(here.needed) + ": a filter kills who asks for it");
    text += ring_as_text(here.ring) + engines_as_text(here.made);
    text += line("RWF_NOWAIT", in_words(here.nowait));
    text += line("RESOLVE_CACHED", in_words(here.cached));
    text += line("pidfd", in_words(here.pidfd));
    text += line("cachestat", in_words(here.cachestat));
    text += line("attempts", in_words(here.attempts));
    text += line("activations", in_words(here.activations));
    for (const path_report &each : paths) text += path_as_text(each);
    return text;
}

std::string report_as_json(const machine &here, const std::vector<path_report> &paths) {
    json object;
    object["laio"] = {{"version", version()}, {"architecture", here.architecture}, {"liburing", LAIO_HAS_URING != 0}};
    object["kernel"] = {{"release", here.release}, {"version", here.version}, {"machine", here.hardware}};
    object["forbid"] = forbid_as_json(here);
    object["io_uring"] = as_json(here.ring);
    object["engines"] = as_json(here.made);
    object["features"] = {{"rwf_nowait", as_json(here.nowait)},
                          {"resolve_cached", as_json(here.cached)},
                          {"pidfd", as_json(here.pidfd)},
                          {"cachestat", as_json(here.cachestat)},
                          {"attempts", as_json(here.attempts)}};
    object["activations"] = as_json(here.activations);
    object["paths"] = json::array();
    for (const path_report &each : paths) object["paths"].push_back(as_json(each));
    return object.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

} // namespace probe
