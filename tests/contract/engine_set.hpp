// The engine sets that the contract has to hold for, and the refusals of the kernel that stand behind some of them.
//
// One process runs one set: its environment and its seccomp filter are set before anything else runs and hold until its
// end. main.cpp chooses it; tests see it as their parameter. Constant data, but for the choice, which is made once.
// Lost: a forked child per test. A filter can then not be seen in a debugger, and gtest's report is in the wrong process.
#pragma once

#include <laio/laio.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace laio::test {

// What seccomp answers instead of the kernel.
enum class refusal : std::uint8_t {
    nothing,
    ring_eperm,         // io_uring_setup: EPERM, as container runtimes do
    old_kernel,         // ENOSYS for io_uring, pidfd_open, openat2, epoll_pwait2, preadv2 and pwritev2
    nowait_unsupported, // preadv2 and pwritev2 with RWF_NOWAIT: EOPNOTSUPP, as many file systems do
    ring_kills,         // io_uring_setup ends the process with SIGSYS
};

struct engine_set {
    const char *name;
    std::uint32_t flags = 0;
    std::uint32_t forbid = 0;
    const char *environment = nullptr; // LAIO_FORBID
    refusal refused = refusal::nothing;
    bool needs_ring = false; // without io_uring this set is another one over again

    [[nodiscard]] bool has_attempts() const;
    [[nodiscard]] bool has_nowait() const;
    [[nodiscard]] bool has_cached_open() const;
    [[nodiscard]] bool has_pidfd() const;
    [[nodiscard]] bool has_nonblocking() const; // descriptors with O_NONBLOCK keep their own rules
    [[nodiscard]] bool has_readiness() const;
    [[nodiscard]] bool tells_closes() const; // the test promises to close nothing behind the library's back
};

std::span<const engine_set> engine_sets();
const engine_set *find_engine_set(const std::string &name);

// The set of this process. choose() also sets the environment and installs the filter; false: it could not.
bool choose_engine_set(const engine_set &set);
const engine_set &chosen_engine_set();

// For INSTANTIATE_TEST_SUITE_P, which asks after main() has chosen.
std::vector<const engine_set *> chosen_engine_sets();

// Options of the chosen set, to be changed further by a test.
laio_options options_of_set();

// Filters for the calling process and all its threads; false, errno: could not be installed.
bool refuse_call(int number, int error);
bool refuse_calls(std::span<const int> numbers, int error);

} // namespace laio::test
