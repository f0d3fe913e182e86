// The fixture of the contract tests, and calls made through the library with their books kept: which are outstanding,
// what each gave, in what order, and that none completes twice.
//
// A call's record is the laio_data of its completion; records live until the test's end, so that a late or doubled
// completion finds its record and is told of. Each thread has books of its own, as it has a loop of its own.
#pragma once

#include "engine_set.hpp"
#include "older_calls.hpp"
#include "resources.hpp"
#include "statistics.hpp"

#include <array>
#include <cerrno>
#include <gtest/gtest.h>
#include <iterator>
#include <laio/laio.h>
#include <string>
#include <sys/syscall.h>
#include <type_traits>
#include <vector>

namespace laio::test {

struct outcome {
    long value;
    int error; // 0 unless value is -1

    friend bool operator==(const outcome &, const outcome &) = default;
    friend std::ostream &operator<<(std::ostream &stream, const outcome &shown);
};

struct call_record {
    long number = 0;
    laio_handle_t handle = nullptr; // nullptr: it returned directly
    bool complete = false;
    unsigned order = 0; // of its completion among this thread's, from 1
    outcome result{-1, 0};

    [[nodiscard]] bool is_direct() const { return handle == nullptr; }
};

// Arguments as the kernel takes them: an int passed through "..." has no defined upper half.
template <class argument> long as_argument(argument value) {
    if constexpr (std::is_null_pointer_v<argument>) return 0;
    else if constexpr (std::is_pointer_v<argument>) return reinterpret_cast<long>(value);
    else return static_cast<long>(value);
}

call_record *begin_call(long number, const arguments &values);
void begin_in(call_record &record, long number, const arguments &values); // the caller's own, until it is complete
outcome plain_call(long number, const arguments &values);

// laio_syscall(): direct, or with a handle to be finished.
template <class... argument> call_record *begin(long number, argument... values) {
    return begin_call(number, arguments{as_argument(values)...});
}

// syscall().
template <class... argument> outcome plain(long number, argument... values) {
    return plain_call(number, arguments{as_argument(values)...});
}

// One laio_poll() of up to `length`, -1 ms: without limit; files the completions. What laio_poll() returned.
int collect(int timeout_ms, int length = 16);

// Collects until the call is complete.
outcome finish(call_record *call);

// Collects until all that were begun are complete.
void finish_all();

// In sets where calls wait on carriers: until one is in the kernel with a call of this number. Before that it has not begun.
void wait_until_made(const call_record *call);

// A read for each of the buffers, in their order; a buffer may be a single byte.
template <class buffers> std::vector<call_record *> begin_reads(int fd, buffers &all) {
    std::vector<call_record *> calls;
    calls.reserve(std::size(all));
    for (auto &buffer : all) {
        if constexpr (std::is_same_v<decltype(buffer), char &>) calls.push_back(begin(SYS_read, fd, &buffer, 1));
        else calls.push_back(begin(SYS_read, fd, buffer.data(), buffer.size()));
    }
    return calls;
}

template <class... argument> outcome done(long number, argument... values) { return finish(begin(number, values...)); }

// Makes this thread's loop with the options of the chosen set.
void start_loop();

// LAIO_CLOSES_TOLD: the owners of descriptors close them through the library from now on. Before there are other threads.
void keep_promises_of_set();

void forget_calls();

class contract_test : public ::testing::TestWithParam<const engine_set *> {
protected:
    void SetUp() override;
    void TearDown() override;

    static const engine_set &set() { return *GetParam(); }
    // Replaces the loop that SetUp() made.
    static void restart_loop(const laio_options &options);

private:
    std::string name_;
    std::size_t descriptors_ = 0;
    std::size_t threads_ = 0;
};

std::string engine_set_name(const ::testing::TestParamInfo<const engine_set *> &info);

// NOLINTNEXTLINE(cppcoreguidelines-macro-usage): gtest's own macro needs the suite's name
#define LAIO_CONTRACT_SUITE(suite)                                                                                     \
    INSTANTIATE_TEST_SUITE_P(sets, suite, ::testing::ValuesIn(::laio::test::chosen_engine_sets()),                     \
                             ::laio::test::engine_set_name)

// The seed of this run: LAIO_TEST_SEED, or a fresh one. Printed at its first use.
std::uint64_t seed();

} // namespace laio::test
