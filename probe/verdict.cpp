#include "verdict.hpp"

#include <csignal>
#include <cstring>

#include <fmt/format.h>

namespace probe {

std::string errno_name(int error) {
    const char *name = strerrorname_np(error);
    return name != nullptr ? name : std::to_string(error);
}

std::string signal_name(int number) {
    const char *name = sigabbrev_np(number);
    return name != nullptr ? fmt::format("SIG{}", name) : std::to_string(number);
}

std::string in_words(const verdict &of) {
    constexpr const char *words[] = {"yes", "no", "not asked"};
    std::string text = words[static_cast<unsigned>(of.is)];
    const std::string name = of.signal != 0  ? signal_name(of.signal)
                             : of.error != 0 ? errno_name(of.error)
                                             : std::string{};
    if (!name.empty()) text += (of.is == state::usable ? ", " : ": ") + name;
    if (!of.reason.empty()) text += name.empty() ? ": " + of.reason : fmt::format(" ({})", of.reason);
    return text;
}

verdict no_answer(int signal, int error) {
    if (signal == SIGSYS) return {state::unusable, 0, signal, "a seccomp filter kills who asks"};
    if (signal != 0) return {state::unusable, 0, signal, "the process that asked was killed"};
    return {state::not_asked, error, 0, "no process to ask with"};
}

} // namespace probe
