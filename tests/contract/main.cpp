// Runs the tests under one engine set: --engine-set=NAME. Without it, runs itself once for each set, one after another.
// --engine-sets=NAME,... compares a list of names with the sets that there are: the build has such a list too.
//
// The set's filter and environment are in place before gtest starts. SIGPIPE is ignored: tests look at EPIPE.
#include "engine_set.hpp"
#include "harness.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

constexpr std::string_view option = "--engine-set=";
constexpr std::string_view comparison = "--engine-sets=";
constexpr int skipped = 77;

int run_with(const laio::test::engine_set &set, const std::vector<char *> &given) {
    std::string choice = std::string{option} + set.name;
    std::vector<char *> arguments = given;
    arguments.insert(arguments.begin() + 1, choice.data());
    arguments.push_back(nullptr);
    std::printf("\n======== engine set %s\n", set.name);
    std::fflush(stdout);
    const pid_t pid = fork();
    if (pid == 0) {
        execv("/proc/self/exe", arguments.data());
        _exit(127);
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    if (status == 0) return 0;
    return WIFEXITED(status) && WEXITSTATUS(status) == skipped ? 0 : 1;
}

int run_every_set(const std::vector<char *> &arguments) {
    int failed = 0;
    for (const auto &set : laio::test::engine_sets()) {
        if (run_with(set, arguments) != 0) {
            std::printf("======== engine set %s FAILED\n", set.name);
            ++failed;
        }
    }
    return failed == 0 ? 0 : 1;
}

int compare(std::string_view given) {
    std::string known;
    for (const auto &set : laio::test::engine_sets()) known += (known.empty() ? "" : ",") + std::string{set.name};
    if (known == given) return 0;
    std::fprintf(stderr, "the build lists the engine sets\n  %s\nbut there are\n  %s\n", std::string{given}.c_str(),
                 known.c_str());
    return 1;
}

} // namespace

// Children of a forked process make threads in these tests.
extern "C" const char *__tsan_default_options();  // NOLINT(bugprone-reserved-identifier): the sanitizer's name
extern "C" const char *__tsan_default_options() { // NOLINT(bugprone-reserved-identifier)
    return "die_after_fork=0";
}

int main(int argc, char **argv) {
    std::vector<char *> arguments{argv, argv + argc};
    const laio::test::engine_set *set = nullptr;
    for (std::size_t index = 1; index < arguments.size(); ++index) {
        const std::string_view argument{arguments[index]};
        if (argument.starts_with(comparison)) return compare(argument.substr(comparison.size()));
        if (!argument.starts_with(option)) continue;
        set = laio::test::find_engine_set(std::string{argument.substr(option.size())});
        if (set == nullptr) {
            std::fprintf(stderr, "no engine set has the name %s\n", arguments[index] + option.size());
            return 2;
        }
        arguments.erase(arguments.begin() + static_cast<std::ptrdiff_t>(index));
        break;
    }
    if (set == nullptr) return run_every_set(arguments);
    std::signal(SIGPIPE, SIG_IGN);
    if (!laio::test::choose_engine_set(*set)) {
        std::printf("SKIPPED: engine set %s: no seccomp filter to be had: %s\n", set->name, std::strerror(errno));
        return skipped;
    }
    laio::test::keep_promises_of_set();
    int count = static_cast<int>(arguments.size());
    arguments.push_back(nullptr);
    ::testing::InitGoogleTest(&count, arguments.data());
    std::thread{[] {}}.join(); // the thread sanitizer's own thread comes with the first: before threads are counted
    return RUN_ALL_TESTS();
}
