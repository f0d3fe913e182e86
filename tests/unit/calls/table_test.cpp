// The table of calls against what the machine's own headers say, and against the rules of the routes.
//
// The headers are read by the compiler's preprocessor while the test runs, so that a machine with newer headers than
// the one that built the library still notices a call that has no row.
#include "calls/table.hpp"

#include <laio/laio.h>

#include <gtest/gtest.h>

#include <array>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace {

using laio::form;
using laio::numbering;
using laio::ring_operation;
using laio::route;
using laio::row;

static_assert(static_cast<int>(route::direct) == LAIO_ROUTE_DIRECT);
static_assert(static_cast<int>(route::attempt) == LAIO_ROUTE_ATTEMPT);
static_assert(static_cast<int>(route::activation) == LAIO_ROUTE_ACTIVATION);
static_assert(static_cast<int>(route::home) == LAIO_ROUTE_HOME);
static_assert(static_cast<int>(route::queued) == LAIO_ROUTE_QUEUED);

// ---- What the headers say ------------------------------------------------------------------------------------------

using numbers_by_name = std::map<std::string, long>;

// The macros __NR_... after `#include <header>`, with the macros they stand for followed to a number. Empty if this
// machine has no preprocessor or no such header.
numbers_by_name read_header(const std::string &header, const std::string &options) {
    std::map<std::string, std::string> macros;
    const char *given = std::getenv("LAIO_TEST_PREPROCESSOR"); // for another architecture than this machine's
    for (const char *preprocessor : {given, "cc -E", "c++ -E", "gcc -E", "clang -E", "cpp"}) {
        if (preprocessor == nullptr) { continue; }
        std::string command = "echo '#include <";
        command.append(header).append(">' | ").append(preprocessor).append(" -dM ").append(options);
        command.append(" -x c - 2>/dev/null");
        FILE *output = popen(command.c_str(), "r");
        if (output == nullptr) { continue; }
        std::array<char, 512> line{};
        while (std::fgets(line.data(), static_cast<int>(line.size()), output) != nullptr) {
            std::array<char, 128> name{};
            std::array<char, 128> value{};
            if (std::sscanf(line.data(), "#define %127s %127s", name.data(), value.data()) == 2 &&
                std::string_view(name.data()).starts_with("__NR")) {
                macros[name.data()] = value.data();
            }
        }
        pclose(output);
        if (!macros.empty()) { break; }
    }
    numbers_by_name numbers;
    for (const auto &[name, first_value] : macros) {
        if (!name.starts_with("__NR_") || name == "__NR_syscalls" || name == "__NR_arch_specific_syscall") { continue; }
        std::string value = first_value;
        while (macros.contains(value)) { value = macros[value]; }
        char *end = nullptr;
        const long number = std::strtol(value.c_str(), &end, 10);
        EXPECT_TRUE(end != value.c_str() && *end == '\0') << name << " is " << value;
        numbers[name.substr(5)] = number;
    }
    return numbers;
}

void expect_every_number_has_its_row(const numbering &table, const numbers_by_name &numbers) {
    EXPECT_GT(numbers.size(), 250U) << "the header was not understood";
    for (const auto &[name, number] : numbers) {
        const row *found = table.find(number);
        if (found == nullptr) {
            ADD_FAILURE() << "no row for " << name << ", number " << number << " on " << table.architecture;
            continue;
        }
        EXPECT_EQ(found->name, name) << "number " << number << " on " << table.architecture;
    }
}

std::vector<const row *> rows_of(const numbering &table) {
    std::vector<const row *> rows;
    for (long number = 0; number < static_cast<long>(table.size); ++number) {
        if (const row *found = table.find(number)) { rows.push_back(found); }
    }
    return rows;
}

const row *find_named(const numbering &table, std::string_view name) {
    for (const row *each : rows_of(table)) {
        if (each->name == name) { return each; }
    }
    return nullptr;
}

const char *this_architecture() {
#if defined(__x86_64__)
    return "x86_64";
#else
    return "aarch64";
#endif
}

TEST(table_of_calls, has_a_row_for_every_number_of_this_machine) {
    const numbers_by_name numbers = read_header("asm/unistd.h", "");
    if (numbers.empty()) { GTEST_SKIP() << "no preprocessor, or no <asm/unistd.h>, on this machine"; }
    const numbering here{this_architecture(), laio::find_row, laio::table_size()};
    expect_every_number_has_its_row(here, numbers);
}

TEST(table_of_calls, has_a_row_for_every_number_of_aarch64) {
    // What arm64's own <asm/unistd.h> asks of the list that it shares with newer architectures.
    const numbers_by_name numbers = read_header(
        "asm-generic/unistd.h", "-D__ARCH_WANT_RENAMEAT -D__ARCH_WANT_NEW_STAT -D__ARCH_WANT_SET_GET_RLIMIT "
                                "-D__ARCH_WANT_TIME32_SYSCALLS -D__ARCH_WANT_SYS_CLONE3 "
                                "-D__ARCH_WANT_MEMFD_SECRET");
    if (numbers.empty()) { GTEST_SKIP() << "no preprocessor, or no <asm-generic/unistd.h>, on this machine"; }
    const numbering *aarch64 = laio::find_numbering("aarch64");
    ASSERT_NE(aarch64, nullptr);
    expect_every_number_has_its_row(*aarch64, numbers);
}

// ---- Looking up ----------------------------------------------------------------------------------------------------

TEST(table_of_calls, finds_no_row_for_numbers_that_are_none) {
    for (const long number :
         {-1L, LONG_MIN, LONG_MAX, static_cast<long>(laio::table_size()), static_cast<long>(laio::table_capacity),
          static_cast<long>(laio::table_capacity) - 1, 300L + 0x40000000L, 1L << 32, 295L + 100L}) {
        EXPECT_EQ(laio::find_row(number), nullptr) << number;
    }
    EXPECT_NE(laio::find_row(0), nullptr);
    EXPECT_NE(laio::find_row(static_cast<long>(laio::table_size()) - 1), nullptr);
}

TEST(table_of_calls, knows_two_architectures) {
    EXPECT_EQ(laio::find_numbering("riscv64"), nullptr);
    EXPECT_EQ(laio::find_numbering(""), nullptr);
    const numbering *here = laio::find_numbering(this_architecture());
    ASSERT_NE(here, nullptr);
    EXPECT_EQ(here->size, laio::table_size());
    for (long number = -2; number < static_cast<long>(here->size) + 2; ++number) {
        EXPECT_EQ(here->find(number), laio::find_row(number)) << number;
    }
    const numbering *x86_64 = laio::find_numbering("x86_64");
    const numbering *aarch64 = laio::find_numbering("aarch64");
    ASSERT_NE(x86_64, nullptr);
    ASSERT_NE(aarch64, nullptr);
    EXPECT_STREQ(x86_64->find(0)->name, "read");
    EXPECT_STREQ(aarch64->find(63)->name, "read");
    EXPECT_STREQ(x86_64->find(469)->name, "file_setattr");
    EXPECT_STREQ(aarch64->find(469)->name, "file_setattr");
    EXPECT_EQ(aarch64->find(244), nullptr);
}

// ---- What holds for all rows ---------------------------------------------------------------------------------------

class every_row : public testing::TestWithParam<const char *> {
protected:
    [[nodiscard]] static std::vector<const row *> rows() {
        const numbering *table = laio::find_numbering(GetParam());
        return table == nullptr ? std::vector<const row *>{} : rows_of(*table);
    }
};

TEST_P(every_row, has_a_name_of_its_own) {
    std::set<std::string> names;
    for (const row *each : rows()) { EXPECT_TRUE(names.insert(each->name).second) << each->name << " has two numbers"; }
    EXPECT_GT(names.size(), 300U);
}

TEST_P(every_row, has_a_signature_of_known_characters) {
    for (const row *each : rows()) {
        const std::size_t length = strnlen(each->arguments, sizeof each->arguments);
        ASSERT_LE(length, 6U) << each->name;
        EXPECT_EQ(std::string_view(each->arguments).find_first_not_of("fdp-iobvmt"), std::string_view::npos)
            << each->name << " " << each->arguments;
    }
}

TEST_P(every_row, has_a_form_just_if_it_is_attempted) {
    for (const row *each : rows()) {
        EXPECT_EQ(each->way == route::attempt, each->attempt != form::none) << each->name;
        EXPECT_NE(each->way, route::queued) << each->name << ": that is for the loop to decide";
    }
}

TEST_P(every_row, says_which_argument_is_the_descriptor) {
    for (const row *each : rows()) {
        const char *first = std::strchr(each->arguments, 'f');
        EXPECT_EQ(each->descriptor_argument(), first == nullptr ? -1 : static_cast<int>(first - each->arguments))
            << each->name;
    }
}

TEST_P(every_row, makes_no_call_in_place_that_looks_up_a_path) {
    // execve is about the calling thread, and waits for its disk.
    const std::set<std::string_view> exceptions = {"execve", "execveat"};
    for (const row *each : rows()) {
        if (each->way == route::direct || each->way == route::home) {
            EXPECT_TRUE(std::strpbrk(each->arguments, "pd") == nullptr || exceptions.contains(each->name))
                << each->name;
        }
    }
}

TEST_P(every_row, has_names_for_its_route_form_and_operation) {
    for (const row *each : rows()) {
        EXPECT_STRNE(laio::name_of(each->way), "?") << each->name;
        EXPECT_STRNE(laio::name_of(each->attempt), "?") << each->name;
        EXPECT_STRNE(laio::name_of(each->ring), "?") << each->name;
    }
}

INSTANTIATE_TEST_SUITE_P(architectures, every_row, testing::Values("x86_64", "aarch64"),
                         [](const auto &each) { return std::string(each.param); });

TEST(names, follow_the_enums) {
    EXPECT_STREQ(laio::name_of(route::direct), "direct");
    EXPECT_STREQ(laio::name_of(route::home), "home");
    EXPECT_STREQ(laio::name_of(route::queued), "queued");
    EXPECT_STREQ(laio::name_of(form::none), "none");
    EXPECT_STREQ(laio::name_of(form::receive_many), "receive_many");
    EXPECT_STREQ(laio::name_of(form::open), "open");
    EXPECT_STREQ(laio::name_of(form::close), "close");
    EXPECT_STREQ(laio::name_of(form::wait), "wait");
    EXPECT_STREQ(laio::name_of(form::events), "events");
    EXPECT_STREQ(laio::name_of(form::pipe_copy), "pipe_copy");
    EXPECT_STREQ(laio::name_of(form::option), "option");
    EXPECT_STREQ(laio::name_of(ring_operation::statx), "statx");
    EXPECT_STREQ(laio::name_of(ring_operation::make_directory), "make_directory");
    EXPECT_STREQ(laio::name_of(ring_operation::getxattr), "getxattr");
    EXPECT_STREQ(laio::name_of(ring_operation::futex), "futex");
    EXPECT_STREQ(laio::name_of(static_cast<route>(99)), "?");
}

// ---- Single calls --------------------------------------------------------------------------------------------------

struct expectation {
    const char *name;
    route way;
    form attempt;
    ring_operation ring;
    const char *arguments;
    int descriptor;
};

constexpr expectation expectations[] = {
    {"read", route::attempt, form::read, ring_operation::read, "fo-", 0},
    {"preadv2", route::attempt, form::read, ring_operation::read, "fv----", 0},
    {"writev", route::attempt, form::write, ring_operation::write, "fv-", 0},
    {"recvmsg", route::attempt, form::receive, ring_operation::receive, "fm-", 0},
    {"sendto", route::attempt, form::send, ring_operation::send, "fi--i-", 0},
    {"recvmmsg", route::attempt, form::receive_many, ring_operation::none, "fb--t", 0},
    {"sendmmsg", route::attempt, form::send_many, ring_operation::none, "fb--", 0},
    {"accept4", route::attempt, form::accept, ring_operation::accept, "fob-", 0},
    {"connect", route::attempt, form::connect, ring_operation::connect, "fi-", 0},
    {"openat", route::attempt, form::open, ring_operation::open, "dp--", -1},
    {"openat2", route::attempt, form::open, ring_operation::open, "dpi-", -1},
    {"fstat", route::attempt, form::status, ring_operation::none, "fo", 0},
    {"close", route::attempt, form::close, ring_operation::close, "f", 0},
    {"flock", route::attempt, form::lock, ring_operation::none, "f-", 0},
    {"fcntl", route::attempt, form::control, ring_operation::none, "f-b", 0},
    {"wait4", route::attempt, form::wait, ring_operation::none, "-o-o", -1},
    {"clock_nanosleep", route::attempt, form::sleep, ring_operation::timeout, "--to", -1},
    {"pselect6", route::attempt, form::poll, ring_operation::none, "-bbbti", -1},
    {"epoll_pwait", route::attempt, form::events, ring_operation::none, "fo--i-", 0},
    {"getrandom", route::attempt, form::random, ring_operation::none, "o--", -1},
    {"mq_timedreceive", route::attempt, form::message, ring_operation::none, "fo-ot", 0},
    {"futex", route::attempt, form::futex, ring_operation::futex, "b--tb-", -1},
    {"tee", route::attempt, form::pipe_copy, ring_operation::tee, "ff--", 0},
    {"statx", route::activation, form::none, ring_operation::statx, "dp--o", -1},
    {"fsync", route::activation, form::none, ring_operation::sync, "f", 0},
    {"unlinkat", route::activation, form::none, ring_operation::unlink, "dp-", -1},
    {"mmap", route::activation, form::none, ring_operation::none, "----f-", 4},
    {"lseek", route::activation, form::none, ring_operation::none, "f--", 0},
    {"bind", route::activation, form::none, ring_operation::bind, "fi-", 0},
    {"dup3", route::activation, form::none, ring_operation::none, "ff-", 0},
    {"ioctl", route::activation, form::none, ring_operation::none, "f-b", 0},
    {"sendfile", route::attempt, form::send_file, ring_operation::none, "ffb-", 0},
    {"process_vm_readv", route::activation, form::none, ring_operation::none, "-v-v--", -1},
    {"getpid", route::direct, form::none, ring_operation::none, "", -1},
    {"epoll_ctl", route::direct, form::none, ring_operation::none, "f-fi", 0},
    {"rt_sigprocmask", route::direct, form::none, ring_operation::none, "-io-", -1},
    {"clone3", route::direct, form::none, ring_operation::none, "b-", -1},
    {"execve", route::direct, form::none, ring_operation::none, "pii", -1},
    {"exit_group", route::home, form::none, ring_operation::none, "-", -1},
    {"prctl", route::home, form::none, ring_operation::none, "-----", -1},
    {"setuid", route::home, form::none, ring_operation::none, "-", -1},
    {"sched_setaffinity", route::home, form::none, ring_operation::none, "--i", -1},
    {"setns", route::home, form::none, ring_operation::none, "f-", 0},
};

TEST(single_calls, are_as_they_should_be_on_both_architectures) {
    for (const char *architecture : {"x86_64", "aarch64"}) {
        const numbering *table = laio::find_numbering(architecture);
        ASSERT_NE(table, nullptr);
        for (const expectation &expected : expectations) {
            SCOPED_TRACE(std::string(expected.name) + " on " + architecture);
            const row *found = find_named(*table, expected.name);
            ASSERT_NE(found, nullptr);
            EXPECT_STREQ(laio::name_of(found->way), laio::name_of(expected.way));
            EXPECT_STREQ(laio::name_of(found->attempt), laio::name_of(expected.attempt));
            EXPECT_STREQ(laio::name_of(found->ring), laio::name_of(expected.ring));
            EXPECT_STREQ(found->arguments, expected.arguments);
            EXPECT_EQ(found->descriptor_argument(), expected.descriptor);
        }
    }
}

} // namespace
