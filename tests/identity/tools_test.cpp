// Tools that watch a program: debuggers and core files show the application where it is; sanitizers, Valgrind and shadow
// stacks, which know of no stack but a thread's own, make activations turn themselves off.
#include "acts.hpp"
#include "journey.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace laio::test {
namespace {

using tool_identity = identity_test;

// Where the debugger stops an act that is away.
extern "C" [[gnu::noinline]] void laio_test_carried_here() { asm volatile("" ::: "memory"); }

LAIO_ACT(visit) {
    journey way;
    way.leave();
    laio_test_carried_here();
    way.go_home();
    return 0;
}

// The same after another call: that one has shown the way, and this one takes a shorter path through the library.
LAIO_ACT(visit_again) {
    why_no_activations();
    return act_visit();
}

LAIO_ACT(dump_core_away) {
    rlimit limit{};
    getrlimit(RLIMIT_CORE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_CORE, &limit);
    journey way;
    way.leave();
    std::abort();
}

// Calls in place that do not block, after one that has shown the way.
LAIO_ACT(calls_in_place) {
    why_no_activations();
    laio_test_carried_here();
    long failed = 0;
    for (int i = 0; i < 10; ++i) failed += laio_syscall(SYS_faccessat, AT_FDCWD, "/", F_OK);
    return failed == 0 ? 0 : 1;
}

// What gdb says of the act, or nothing: it is not there, or may not do this. The reason is in `why_not`.
std::string ask_gdb(std::vector<std::string> commands, const std::vector<std::string> &target, std::string &why_not) {
    if (!has_program("gdb")) {
        why_not = "no gdb here";
        return {};
    }
    commands.insert(commands.begin(), {"set debuginfod enabled off", "set pagination off", "set width 0"});
    std::vector<std::string> words{"gdb", "--batch", "-nx"};
    for (const std::string &command : commands) words.insert(words.end(), {"-ex", command});
    words.insert(words.end(), target.begin(), target.end());
    std::string said = run(words).report;
    const auto has = [&](const char *words_of_it) { return said.find(words_of_it) != std::string::npos; };
    if (has("ptrace: Operation not permitted") || has("Could not trace the inferior process")) {
        why_not = "gdb may not trace a process here: " + said.substr(0, 400);
        return {};
    }
    return said;
}

std::vector<std::string> with_arguments(std::vector<std::string> command) {
    command.insert(command.begin(), "--args");
    return command;
}

// The frames of one thread, as `thread apply all bt` shows them: the one in which `frame` is the innermost but few.
std::string frames_from(const std::string &said, const std::string &frame) {
    const std::size_t place = said.find(frame);
    if (place == std::string::npos) return {};
    return said.substr(place, said.find("\n\n", place) - place);
}

TEST_F(tool_identity, debugger_shows_the_way_of_a_carried_application) {
    std::string why_not;
    const std::string said = ask_gdb({"set breakpoint pending on", "break laio_test_carried_here", "run", "bt",
                                      "echo ----\\n", "thread apply all bt 20", "kill"},
                                     with_arguments(command_of("visit")), why_not);
    if (!why_not.empty()) GTEST_SKIP() << why_not;
    const std::string own = frames_from(said.substr(0, said.find("----")), "#0 ");
    EXPECT_NE(own.find("act_visit"), std::string::npos) << said;
    EXPECT_NE(own.find(" main "), std::string::npos) << said;
    // the thread that was left behind is in its call; what is beyond that is the application's by now
    EXPECT_NE(said.find(" laio_activation_"), std::string::npos) << said;
    EXPECT_EQ(said.find("internal-error"), std::string::npos) << said;
}

// Stopped as the call begins, before anybody could claim it: from the carrier's own stack to main(). By both paths.
TEST_F(tool_identity, debugger_finds_the_way_out_of_a_call) {
    for (const char *act : {"visit", "visit_again"}) {
        std::string why_not;
        const std::string said =
            ask_gdb({"catch syscall truncate", "run", "bt", "kill"}, with_arguments(command_of(act)), why_not);
        if (!why_not.empty()) GTEST_SKIP() << why_not;
        const std::string frames = frames_from(said, "laio_activation_");
        for (const char *frame : {"leave", "act_visit", " main "})
            EXPECT_NE(frames.find(frame), std::string::npos) << frame << " is not in:\n" << said;
    }
}

// A profiler's signal may come at any instruction: from each of them there is a way to main().
TEST_F(tool_identity, unwinds_from_every_instruction) {
    const directory place;
    const descriptor script = place.file("steps", "set $step = 0\n"
                                                  "while $step < 150\n"
                                                  "printf \"@@\\n\"\n"
                                                  "x/i $pc\n"
                                                  "bt\n"
                                                  "stepi\n"
                                                  "set $step = $step + 1\n"
                                                  "end\n");
    std::string why_not;
    const std::string said = ask_gdb({"break laio_test_carried_here", "run", "set scheduler-locking on",
                                      "break *laio_syscall", "continue", "source " + place.path("steps"), "kill"},
                                     with_arguments(command_of("calls_in_place")), why_not);
    if (!why_not.empty()) GTEST_SKIP() << why_not;
    std::size_t steps = 0;
    std::size_t in_place = 0;
    for (std::size_t at = said.find("@@"); at != std::string::npos; ++steps) {
        const std::size_t next = said.find("@@", at + 2);
        const std::string step = said.substr(at, next - at);
        EXPECT_NE(step.find(" main "), std::string::npos) << step;
        if (step.find("<laio_activation_") != std::string::npos) ++in_place;
        at = next;
    }
    EXPECT_EQ(steps, 150U) << said.substr(0, 2000);
    EXPECT_GT(in_place, 20U) << "it was not made in place";
}

TEST_F(tool_identity, core_file_shows_who_aborted) {
    std::ifstream file{"/proc/sys/kernel/core_pattern"};
    const std::string pattern_of_names{std::istreambuf_iterator<char>{file}, {}};
    if (pattern_of_names.starts_with("|") || pattern_of_names.starts_with("/"))
        GTEST_SKIP() << "core files go elsewhere: " << pattern_of_names;
    rlimit limit{};
    getrlimit(RLIMIT_CORE, &limit);
    if (limit.rlim_max != RLIM_INFINITY) GTEST_SKIP() << "the size of core files is limited";
    const directory place;
    std::vector<std::string> command = command_of("dump_core_away");
    command.insert(command.begin(), {"sh", "-c", R"(cd "$0" && exec "$@")", place.path()});
    const act_result result = run(command);
    ASSERT_TRUE(WIFSIGNALED(result.status)) << result.report;
    EXPECT_EQ(WTERMSIG(result.status), SIGABRT);
    if (!WCOREDUMP(result.status)) GTEST_SKIP() << "no core file was written";
    std::string core;
    for (const auto &entry : std::filesystem::directory_iterator{place.path()}) core = entry.path();
    std::string why_not;
    const std::string said = ask_gdb({"bt"}, {command_of("visit")[0], core}, why_not);
    if (!why_not.empty()) GTEST_SKIP() << why_not;
    for (const char *frame : {"abort", "act_dump_core_away", " main "})
        EXPECT_NE(said.find(frame), std::string::npos) << frame << " is not in:\n" << said;
}

// ---- Sanitizers, Valgrind and shadow stacks

std::string forbidden() {
    const char *list = std::getenv("LAIO_FORBID"); // NOLINT(concurrency-mt-unsafe)
    return list != nullptr && std::string{list}.find("activations") != std::string::npos ? "LAIO_FORBID=activations"
                                                                                         : "";
}

// Reports errno of the activations, after calls that would be made in place, and others.
LAIO_ACT(calls) {
    why_no_activations();
    report("activations_errno %d\n", stats_now().activations_errno);
    for (int i = 0; i < 20; ++i) {
        std::array<char, 8> bytes{};
        const pipe_ends ends = make_pipe();
        const pipe_ends others = make_pipe();
        for (const long number : {long{SYS_read}, long{SYS_splice}}) {
            const long direct = number == SYS_read ? laio_syscall(number, ends.reader.get(), bytes.data(), 1)
                                                   : laio_syscall(number, ends.reader.get(), nullptr,
                                                                  others.writer.get(), nullptr, 1, 0);
            if (direct != -1 || errno != EINPROGRESS) return 1;
            write_all(ends.writer.get(), "x");
            if (next_completion().laio_return_value != 1) return 2;
        }
        if (laio_syscall(SYS_faccessat, AT_FDCWD, "/", F_OK) != 0 && next_completion().laio_return_value != 0) return 3;
    }
    return laio_fini();
}

#if defined(__x86_64__)
// From where the shadow stack begins no function may return that was entered before.
LAIO_ACT(calls_on_a_shadow_stack) {
    constexpr long enable = 0x5001; // ARCH_SHSTK_ENABLE
    constexpr long shadow_stack = 1;
    long r = 0;
    asm volatile("syscall"
                 : "=a"(r)
                 : "a"(long{SYS_arch_prctl}), "D"(enable), "S"(shadow_stack)
                 : "rcx", "r11", "memory");
    if (r != 0) {
        report("refused: %s\n", strerrorname_np(static_cast<int>(-r)));
        return 0;
    }
    _exit(act_calls());
}

TEST(tools, shadow_stack_turns_activations_off) {
    if (!forbidden().empty()) GTEST_SKIP() << "off already: " << forbidden();
    const act_result result = run_act("calls_on_a_shadow_stack");
    if (result.report.starts_with("refused"))
        GTEST_SKIP() << "neither kernel nor processor has shadow stacks, or they are not to be begun: "
                     << result.report;
    EXPECT_EQ(result.status, 0) << result.report;
    EXPECT_NE(result.report.find("activations_errno " + std::to_string(ENOTSUP)), std::string::npos) << result.report;
}
#endif

TEST(tools, sanitizers_turn_activations_off) {
    if (!sanitized) GTEST_SKIP() << "this is no sanitized build";
    const act_result result = run_act("calls");
    EXPECT_EQ(result.status, 0) << result.report;
    EXPECT_NE(result.report.find("activations_errno " + std::to_string(forbidden().empty() ? ENOTSUP : ECANCELED)),
              std::string::npos)
        << result.report;
}

TEST(tools, valgrind_turns_activations_off) {
    if (sanitized) GTEST_SKIP() << "Valgrind runs no sanitized program";
    if (!forbidden().empty()) GTEST_SKIP() << "off already: " << forbidden();
    if (!has_program("valgrind")) GTEST_SKIP() << "no valgrind here";
    std::vector<std::string> command = command_of("calls");
    command.insert(command.begin(), {"valgrind", "--quiet", "--error-exitcode=99", "--exit-on-first-error=no"});
    const act_result result = run(command);
    EXPECT_EQ(result.status, 0) << result.report;
    EXPECT_NE(result.report.find("activations_errno " + std::to_string(ENOTSUP)), std::string::npos) << result.report;
}

} // namespace
} // namespace laio::test
