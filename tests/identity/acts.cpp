// See acts.hpp. Has main(): an act instead of the tests when one is asked for.
#include "acts.hpp"

#include "contract/resources.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <map>
#include <string_view>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace laio::test {
namespace {

constexpr std::string_view option = "--act=";

std::map<std::string, int (*)(), std::less<>> &acts() {
    static std::map<std::string, int (*)(), std::less<>> all;
    return all;
}

// In the child, between fork() and the act.
[[noreturn]] void become(std::vector<char *> &arguments, int output) {
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    rlimit cores{};
    getrlimit(RLIMIT_CORE, &cores);
    cores.rlim_cur = 0; // a crash is a result here, not to be kept
    setrlimit(RLIMIT_CORE, &cores);
    std::signal(SIGALRM, SIG_DFL);
    alarm(deadline_s);
    execvp(arguments[0], arguments.data());
    _exit(127);
}

} // namespace

act::act(const char *name, int (*run)()) { acts().emplace(name, run); }

std::vector<std::string> command_of(const std::string &act) {
    std::array<char, 4096> path{};
    const ssize_t length = readlink("/proc/self/exe", path.data(), path.size());
    return {std::string{path.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0))}, "--act=" + act};
}

started_act start(const std::vector<std::string> &command) {
    pipe_ends output = make_pipe(O_CLOEXEC);
    std::vector<std::string> words = command;
    std::vector<char *> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string &word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::fflush(nullptr);
    const pid_t pid = fork();
    if (pid == 0) become(arguments, output.writer.get());
    return {pid, output.reader.release()};
}

act_result run(const std::vector<std::string> &command) {
    const started_act child = start(command);
    const descriptor output{child.output};
    act_result result{-1, {}};
    for (std::string some; !(some = read_all(output.get(), 1)).empty();) result.report += some;
    while (waitpid(child.pid, &result.status, 0) < 0 && errno == EINTR) {}
    return result;
}

bool has_program(const std::string &name) { return run({"sh", "-c", "command -v " + name}).status == 0; }

void report(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    std::vprintf(format, arguments); // NOLINT(clang-diagnostic-format-nonliteral)
    va_end(arguments);
    std::fflush(stdout);
}

} // namespace laio::test

int main(int argc, char **argv) {
    const std::string_view first = argc > 1 ? argv[1] : "";
    if (first.starts_with(laio::test::option)) {
        const auto found = laio::test::acts().find(first.substr(laio::test::option.size()));
        if (found == laio::test::acts().end()) return 126;
        return found->second();
    }
    ::testing::InitGoogleTest(&argc, argv);
    std::thread{[] {}}.join(); // a sanitizer's own thread comes with the first one
    return RUN_ALL_TESTS();
}
