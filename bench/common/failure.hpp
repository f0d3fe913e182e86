// How a benchmark gives up: a message on standard error and exit code 1. A benchmark that read a wrong byte, or could
// not set up what it measures, must not print figures; exceptions would only carry that message further.
#pragma once

#include <fmt/core.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace laio::bench {

template <typename... argument_types>
[[noreturn]] void fail(fmt::format_string<argument_types...> format, argument_types &&...arguments) {
    std::fflush(stdout);
    fmt::print(stderr, "{}: {}\n", program_invocation_short_name,
               fmt::format(format, std::forward<argument_types>(arguments)...));
    // Not exit(): the destructors of what was in the middle of a measurement would wait for it.
    std::_Exit(1);
}

inline std::string error_text(int error) { return std::generic_category().message(error); }

// For calls that cannot fail in a benchmark that is worth printing.
template <typename value_type> value_type must(value_type result, const char *what) {
    if (result < 0) fail("{}: {}", what, error_text(errno));
    return result;
}

} // namespace laio::bench
