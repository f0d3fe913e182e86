// Acts: small programs that end, crash or are watched from outside. An act is a function of a test program by a name of its
// own; a test runs it as another process, which is the same program started with --act=NAME, so that it can be copied
// anywhere as one file. What an act prints is its report; what it returns is its exit status.
#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

namespace laio::test {

struct act {
    act(const char *name, int (*run)());
};

// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): a name is registered beside its function
#define LAIO_ACT(name)                                                                                                 \
    int act_##name();                                                                                                  \
    const ::laio::test::act registered_##name{#name, act_##name};                                                      \
    int act_##name()

struct act_result {
    int status; // as of waitpid(2)
    std::string report;
};

std::vector<std::string> command_of(const std::string &act); // to start it by
act_result run(const std::vector<std::string> &command);     // its output and its error output in one
inline act_result run_act(const std::string &act) { return run(command_of(act)); }

// Started, with its output to be read from `output` as it comes.
struct started_act {
    pid_t pid;
    int output;
};
started_act start(const std::vector<std::string> &command);

bool has_program(const std::string &name);                                  // in PATH
void report(const char *format, ...) __attribute__((format(printf, 1, 2))); // of an act, at once

} // namespace laio::test
