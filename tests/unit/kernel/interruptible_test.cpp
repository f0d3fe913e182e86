// The call that can be interrupted: like the plain one when nobody cancels; not made when it was cancelled before;
// ended when the kernel is inside; and the window before the kernel is entered, stepped through instruction by
// instruction.
#include "kernel/interruptible.hpp"

#include "kernel/child.hpp"
#include "kernel/system_call.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <fstream>
#include <string>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__)
constexpr bool handlers_run_late = true; // this sanitizer's own handler stands before ours, and calls it when it likes
#else
constexpr bool handlers_run_late = false;
#endif

namespace {

using laio::system_call;
using laio::take_cancel_signal;
using laio::word;
using laio::test::cannot;
using laio::test::in_child;

struct arguments {
    long words[6]{};
};

long call(const int &cancelled, long number, const arguments &with = {}) {
    return laio::laio_interruptible_call(&cancelled, number, with.words);
}

struct pipe_ends {
    pipe_ends() { EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0); }
    pipe_ends(const pipe_ends &) = delete;
    pipe_ends &operator=(const pipe_ends &) = delete;
    ~pipe_ends() {
        close(ends[0]);
        close(ends[1]);
    }
    [[nodiscard]] bool is_empty() const {
        fcntl(ends[0], F_SETFL, O_NONBLOCK);
        char byte = 0;
        return read(ends[0], &byte, 1) < 0 && errno == EAGAIN;
    }
    int ends[2]{-1, -1};
};

// ---- Nobody cancels ------------------------------------------------------------------------------------------------

TEST(interruptible_call, returns_what_the_kernel_returned) {
    const int cancelled = 0;
    errno = 4321;
    EXPECT_EQ(call(cancelled, SYS_getpid), getpid());
    EXPECT_EQ(call(cancelled, SYS_close, {{-1}}), -EBADF);
    EXPECT_EQ(call(cancelled, SYS_mkdirat, {{AT_FDCWD, 1, 0}}), -EFAULT);
    EXPECT_EQ(call(cancelled, -2), system_call(-2));
    EXPECT_EQ(errno, 4321);
}

TEST(interruptible_call, passes_all_six_arguments) {
    const auto page = sysconf(_SC_PAGESIZE);
    const int file = static_cast<int>(syscall(SYS_memfd_create, "six", MFD_CLOEXEC));
    if (file < 0) GTEST_SKIP() << "memfd_create: " << std::strerror(errno);
    const std::string content = std::string(static_cast<std::size_t>(page), 'a') + "b";
    ASSERT_EQ(write(file, content.data(), content.size()), static_cast<ssize_t>(content.size()));
    void *place = mmap(nullptr, static_cast<std::size_t>(2 * page), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(place, MAP_FAILED);
    const int cancelled = 0;
    const long wanted = word(place) + page;
    ASSERT_EQ(call(cancelled, SYS_mmap, {{wanted, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, page}}),
              wanted);
    char *mapped = laio::pointer<char>(wanted);
    EXPECT_EQ(mapped[0], 'b');
    mapped[0] = 'B';
    char back = 0;
    EXPECT_EQ(pread(file, &back, 1, page), 1);
    EXPECT_EQ(back, 'B');
    munmap(place, static_cast<std::size_t>(2 * page));
    close(file);
}

TEST(interruptible_call, keeps_the_callers_values) {
    volatile long source = 1000;
    const long a = source + 1, b = source + 2, c = source + 3, d = source + 4, e = source + 5, f = source + 6,
               g = source + 7, h = source + 8;
    const int cancelled = 0;
    EXPECT_EQ(call(cancelled, SYS_getpid), getpid());
    EXPECT_EQ(a + b + c + d + e + f + g + h, 8036);
}

// ---- Cancelled before ----------------------------------------------------------------------------------------------

TEST(cancelled_call, is_not_made) {
    const pipe_ends pipe;
    const arguments one_byte{{pipe.ends[1], word("x"), 1}};
    for (const int cancelled : {1, -1, 0x100, INT32_MIN}) {
        EXPECT_EQ(call(cancelled, SYS_write, one_byte), -ECANCELED) << cancelled;
        EXPECT_TRUE(pipe.is_empty()) << cancelled;
    }
    const int not_cancelled = 0;
    EXPECT_EQ(call(not_cancelled, SYS_write, one_byte), 1);
    EXPECT_FALSE(pipe.is_empty());
}

TEST(cancelled_call, looks_at_an_int_and_no_further) {
    const int surroundings[3] = {-1, 0, -1};
    EXPECT_EQ(call(surroundings[1], SYS_getpid), getpid());
}

// ---- The kernel is inside ------------------------------------------------------------------------------------------

// A thread that makes one read after the other, and what another sees of it.
class reader {
public:
    explicit reader(int from) : from_(from), thread_([this] { run(); }) {}
    reader(const reader &) = delete;
    reader &operator=(const reader &) = delete;
    ~reader() {
        wanted_.store(-1);
        thread_.join();
    }

    // Begins the n-th read, n from 1 on.
    void begin(int n) {
        cancelled_.store(0);
        wanted_.store(n);
        while (begun_.load() < n) std::this_thread::yield();
    }
    void cancel(int signal) {
        cancelled_.store(1);
        system_call(SYS_tgkill, getpid(), id_.load(), signal);
    }
    [[nodiscard]] bool has_ended(int n) const { return ended_.load() >= n; }
    [[nodiscard]] long result() const { return result_; }
    // Once it has begun there is nothing but its read to sleep in. False also where /proc does not tell.
    [[nodiscard]] bool is_asleep() const { return state() == 'S'; }
    [[nodiscard]] bool can_tell() const { return state() != '?'; }

private:
    [[nodiscard]] char state() const {
        std::ifstream file("/proc/self/task/" + std::to_string(id_.load()) + "/stat");
        std::string text;
        std::getline(file, text);
        const auto name_end = text.rfind(") ");
        return name_end == std::string::npos || name_end + 2 >= text.size() ? '?' : text[name_end + 2];
    }

    void run() {
        id_.store(static_cast<int>(system_call(SYS_gettid)));
        char byte = 0;
        const arguments one_byte{{from_, word(&byte), 1}};
        for (int n = 1;; ++n) {
            int wanted = 0;
            while ((wanted = wanted_.load()) >= 0 && wanted < n) std::this_thread::yield();
            if (wanted < 0) return;
            begun_.store(n);
            static_assert(sizeof cancelled_ == sizeof(int));
            result_ =
                laio::laio_interruptible_call(reinterpret_cast<const int *>(&cancelled_), SYS_read, one_byte.words);
            ended_.store(n);
        }
    }

    int from_;
    std::atomic<int> cancelled_{0};
    std::atomic<int> wanted_{0};
    std::atomic<int> begun_{0};
    std::atomic<int> ended_{0};
    std::atomic<int> id_{0};
    std::atomic<long> result_{0};
    std::thread thread_;
};

// True when it became so; false after so long that it never will.
template <class condition> bool comes_true(condition what) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!what()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::yield();
    }
    return true;
}

// The signal is taken once in a process, so these two are children as well. 0, or what went wrong.
long end_call_in_the_kernel() {
    const int signal = take_cancel_signal(0);
    const pipe_ends pipe;
    reader waiting(pipe.ends[0]);
    waiting.begin(1);
    const bool can_tell = waiting.can_tell();
    const bool went_inside = can_tell && comes_true([&] { return waiting.is_asleep(); });
    if (went_inside) waiting.cancel(signal);
    const bool ended = went_inside && comes_true([&] { return waiting.has_ended(1); });
    if (!ended && write(pipe.ends[1], "x", 1) != 1) return 1;
    if (!can_tell) return cannot;
    if (!went_inside) return 2;
    return ended ? waiting.result() : 3;
}

TEST(call_in_the_kernel, is_ended_by_the_signal) {
    const auto end = in_child(end_call_in_the_kernel);
    if (end.value == cannot) GTEST_SKIP() << "no /proc/self/task/TID/stat";
    EXPECT_EQ(end.value, -EINTR) << "2: it never came to the kernel; 3: it went on; " << end;
}

TEST(call_in_the_kernel, that_moved_something_keeps_its_result) {
    const pipe_ends pipe;
    const int cancelled = 0;
    ASSERT_EQ(write(pipe.ends[1], "ab", 2), 2);
    char bytes[2]{};
    EXPECT_EQ(call(cancelled, SYS_read, {{pipe.ends[0], word(bytes), 2}}), 2);
    EXPECT_EQ(std::string(bytes, 2), "ab");
}

// Wherever the thread is when the signal comes: each call ends.
long end_calls_anywhere() {
    const int signal = take_cancel_signal(0);
    const pipe_ends pipe;
    reader waiting(pipe.ends[0]);
    for (int n = 1; n <= 5'000; ++n) {
        waiting.begin(n);
        for (int pause = n % 64; pause > 0; --pause) std::atomic_signal_fence(std::memory_order_seq_cst);
        waiting.cancel(signal);
        if (!comes_true([&] { return waiting.has_ended(n); })) return write(pipe.ends[1], "x", 1) == 1 ? n : -n;
        const long result = waiting.result();
        if (result != -ECANCELED && result != -EINTR) return result;
    }
    return 0;
}

TEST(call_anywhere, is_ended_by_one_signal) {
    if (handlers_run_late) GTEST_SKIP() << "the sanitizer runs signal handlers late";
    const auto end = in_child(end_calls_anywhere);
    EXPECT_TRUE(end.returned) << end;
    EXPECT_EQ(end.value, 0) << "the number of the call that was neither stopped nor interrupted, or its error";
}

// ---- The window, instruction by instruction ------------------------------------------------------------------------

struct stage {
    int cancelled;
    int signal;
    long result;
};

std::uintptr_t program_counter(pid_t child) {
    user_regs_struct registers{};
    iovec where{&registers, sizeof registers};
    EXPECT_EQ(ptrace(PTRACE_GETREGSET, child, reinterpret_cast<void *>(NT_PRSTATUS), &where), 0);
#if defined(__x86_64__)
    return registers.rip;
#else
    return registers.pc;
#endif
}

std::uintptr_t address_of(const void *place) { return reinterpret_cast<std::uintptr_t>(place); }

// One instruction on. False: the child is not stopped any more.
bool step(pid_t child) {
    int status = 0;
    return ptrace(PTRACE_SINGLESTEP, child, nullptr, nullptr) == 0 && waitpid(child, &status, 0) == child &&
           WIFSTOPPED(status);
}

struct interruption {
    bool could_trace = false;
    bool before_the_call = false; // the place was one that the call had not been made at
    long result = 0;
    bool was_made = false;
};

// A child stops at the `place`-th instruction of the call (from its first on), is cancelled, and goes on with the
// signal.
interruption interrupt_at(int place, stage &shared) {
    interruption found;
    const pipe_ends pipe;
    const arguments one_byte{{pipe.ends[1], word("x"), 1}};
    shared = {0, 0, 0};
    const pid_t child = fork();
    if (child == 0) {
        alarm(120);
        if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(1);
        shared.signal = take_cancel_signal(0);
        system_call(SYS_kill, system_call(SYS_getpid), SIGSTOP);
        shared.result = laio::laio_interruptible_call(&shared.cancelled, SYS_write, one_byte.words);
        _exit(0);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    if (!WIFSTOPPED(status)) return found;
    const auto first = address_of(reinterpret_cast<const void *>(&laio::laio_interruptible_call));
    const auto end = address_of(laio::laio_interruptible_end);
    bool stopped = true;
    for (int steps = 0; stopped && steps < 100'000 && program_counter(child) != first; ++steps) stopped = step(child);
    found.could_trace = stopped && program_counter(child) == first;
    found.before_the_call = true;
    for (int steps = 0; stopped && steps < place; ++steps) {
        stopped = step(child);
        if (stopped && program_counter(child) == end) found.before_the_call = false;
    }
    shared.cancelled = 1;
    EXPECT_EQ(ptrace(PTRACE_CONT, child, nullptr, reinterpret_cast<void *>(static_cast<long>(shared.signal))), 0);
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status " << status;
    found.result = shared.result;
    found.was_made = !pipe.is_empty();
    return found;
}

TEST(every_instruction, before_the_call_cancels_it_and_after_it_does_not) {
    if (handlers_run_late) GTEST_SKIP() << "the sanitizer runs signal handlers late";
    void *memory = mmap(nullptr, sizeof(stage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    auto &shared = *static_cast<stage *>(memory);
    int places_before = 0;
    for (int place = 0;; ++place) {
        const interruption found = interrupt_at(place, shared);
        if (!found.could_trace) {
            ASSERT_EQ(place, 0) << "tracing worked before";
            GTEST_SKIP() << "ptrace is not to be had, or does not step";
        }
        ASSERT_FALSE(HasFailure());
        ASSERT_LT(place, 100) << "the call was never made";
        if (!found.before_the_call) {
            EXPECT_EQ(found.result, 1) << "made, but its result was lost, at instruction " << place;
            EXPECT_TRUE(found.was_made);
            break;
        }
        ++places_before;
        EXPECT_EQ(found.result, -ECANCELED) << "at instruction " << place;
        EXPECT_FALSE(found.was_made) << "at instruction " << place;
    }
    EXPECT_GT(places_before, 3) << "the look, the jump and the call itself are three";
    munmap(memory, sizeof(stage));
}

TEST(calls_in_place, are_known_by_their_place) {
    std::array<char, 8> code{};
    laio::set_calls_in_place(code.data(), code.data() + 4);
    const auto at = [&](int i) {
        return reinterpret_cast<std::uintptr_t>(code.data()) + static_cast<std::uintptr_t>(i);
    };
    EXPECT_TRUE(laio::is_call_in_place(at(0)));
    EXPECT_TRUE(laio::is_call_in_place(at(3)));
    EXPECT_FALSE(laio::is_call_in_place(at(4)));
    EXPECT_FALSE(laio::is_call_in_place(0));
}

} // namespace
