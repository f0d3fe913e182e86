// The interruptible call, interrupted where that makes a difference; without ptrace(2), which qemu-user does not have.
//
// The window between the look at `cancelled` and the call is too narrow to be hit by chance, so it is held still: the
// flag lies on a page that cannot be read, and the handler of that fault stands inside the window. It leaves a cancel
// signal pending, which the kernel delivers before the next instruction, and may first move on to the window's last one.
#include "kernel/interruptible.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <thread>
#include <type_traits>
#include <ucontext.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__)
constexpr bool handlers_run_late = true;
#else
constexpr bool handlers_run_late = false;
#endif

namespace {

enum class place { first, last, nowhere };

int cancel_signal = 0;
int *cancelled = nullptr; // alone on its page
place interrupted = place::nowhere;
volatile std::uintptr_t fault_at = 0;

#if defined(__x86_64__)
constexpr unsigned char call_instruction[] = {0x0f, 0x05}; // syscall
auto &program_counter(ucontext_t &context) { return context.uc_mcontext.gregs[REG_RIP]; }
#else
constexpr unsigned char call_instruction[] = {0x01, 0x00, 0x00, 0xd4}; // svc #0
auto &program_counter(ucontext_t &context) { return context.uc_mcontext.pc; }
#endif

constexpr std::size_t call_bytes = sizeof call_instruction;

std::uintptr_t address(const char *of) { return reinterpret_cast<std::uintptr_t>(of); }

void on_fault(int, siginfo_t *, void *where) {
    auto &counter = program_counter(*static_cast<ucontext_t *>(where));
    fault_at = static_cast<std::uintptr_t>(counter);
    mprotect(cancelled, sizeof *cancelled, PROT_READ | PROT_WRITE);
    if (interrupted == place::nowhere) return;
    if (interrupted == place::last) {
        const std::uintptr_t last = address(laio::laio_interruptible_end) - call_bytes;
        counter = static_cast<std::remove_reference_t<decltype(counter)>>(last);
    }
    pthread_kill(pthread_self(), cancel_signal); // blocked here
}

class cancel_window : public testing::Test {
protected:
    void SetUp() override {
        cancel_signal = laio::take_cancel_signal(0);
        ASSERT_GT(cancel_signal, 0);
        page_bytes_ = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        void *page = mmap(nullptr, page_bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        ASSERT_NE(page, MAP_FAILED);
        cancelled = static_cast<int *>(page);
        struct sigaction action {};
        action.sa_sigaction = on_fault;
        action.sa_flags = SA_SIGINFO;
        sigfillset(&action.sa_mask);
        ASSERT_EQ(sigaction(SIGSEGV, &action, &before_), 0);
        ASSERT_EQ(pipe(ends_.data()), 0);
        fault_at = 0;
    }
    void TearDown() override {
        EXPECT_EQ(sigaction(SIGSEGV, &before_, nullptr), 0);
        munmap(cancelled, page_bytes_);
        close(ends_[0]);
        close(ends_[1]);
    }

    // Writes five bytes into the pipe.
    [[nodiscard]] long write_interrupted_at(place where) const {
        interrupted = where;
        const std::array<long, 6> a{ends_[1], reinterpret_cast<long>("bytes"), 5, 0, 0, 0};
        return laio::laio_interruptible_call(cancelled, SYS_write, a.data());
    }
    [[nodiscard]] int bytes_in_pipe() const {
        int count = -1;
        EXPECT_EQ(ioctl(ends_[0], FIONREAD, &count), 0);
        return count;
    }

    std::array<int, 2> ends_{};

private:
    std::size_t page_bytes_ = 0;
    struct sigaction before_ {};
};

TEST_F(cancel_window, look_is_the_first_instruction_of_the_window) {
    EXPECT_EQ(write_interrupted_at(place::nowhere), 5);
    EXPECT_EQ(fault_at, address(laio::laio_interruptible_begin));
    EXPECT_EQ(bytes_in_pipe(), 5);
}

TEST_F(cancel_window, ends_just_behind_the_instruction_that_makes_the_call) {
    const std::size_t length = address(laio::laio_interruptible_end) - address(laio::laio_interruptible_begin);
    ASSERT_GT(length, call_bytes);
    const char *last = laio::laio_interruptible_begin + (length - call_bytes);
    EXPECT_EQ(std::memcmp(last, call_instruction, call_bytes), 0);
}

TEST_F(cancel_window, signal_before_the_look_is_in_time) {
    if (handlers_run_late) GTEST_SKIP() << "this sanitizer calls handlers when it likes";
    EXPECT_EQ(write_interrupted_at(place::first), -ECANCELED);
    EXPECT_EQ(fault_at, address(laio::laio_interruptible_begin));
    EXPECT_EQ(bytes_in_pipe(), 0);
}

TEST_F(cancel_window, signal_after_the_look_is_in_time) {
    if (handlers_run_late) GTEST_SKIP() << "this sanitizer calls handlers when it likes";
    EXPECT_EQ(write_interrupted_at(place::last), -ECANCELED);
    EXPECT_EQ(bytes_in_pipe(), 0);
}

TEST_F(cancel_window, set_flag_is_seen_without_a_signal) {
    ASSERT_EQ(mprotect(cancelled, sizeof *cancelled, PROT_READ | PROT_WRITE), 0);
    *cancelled = 1;
    EXPECT_EQ(write_interrupted_at(place::nowhere), -ECANCELED);
    EXPECT_EQ(bytes_in_pipe(), 0);
}

// The call itself sends the signal, which comes as soon as it is done: nowhere is nearer behind it.
TEST_F(cancel_window, signal_after_the_call_leaves_its_result) {
    interrupted = place::nowhere;
    const std::array<long, 6> send{getpid(), gettid(), cancel_signal, 0, 0, 0};
    EXPECT_EQ(laio::laio_interruptible_call(cancelled, SYS_tgkill, send.data()), 0);
    const std::array<long, 6> ask{0, 0, 0, 0, 0, 0};
    EXPECT_EQ(laio::laio_interruptible_call(cancelled, SYS_getpid, ask.data()), getpid());
}

// All six: the second page of a file, with the descriptor fifth and the offset sixth.
TEST_F(cancel_window, call_gets_its_six_arguments) {
    interrupted = place::nowhere;
    const long page = sysconf(_SC_PAGESIZE);
    const int file = memfd_create("six arguments", MFD_CLOEXEC);
    ASSERT_EQ(pwrite(file, "second", 6, page), 6);
    const std::array<long, 6> map{0, page, PROT_READ, MAP_PRIVATE, file, page};
    const long mapped = laio::laio_interruptible_call(cancelled, SYS_mmap, map.data());
    ASSERT_GT(mapped, 0);
    EXPECT_EQ(std::memcmp(reinterpret_cast<void *>(mapped), "second", 6), 0);
    munmap(reinterpret_cast<void *>(mapped), static_cast<std::size_t>(page));
    close(file);
    EXPECT_EQ(laio::laio_interruptible_call(cancelled, SYS_close, std::array<long, 6>{file}.data()), -EBADF);
}

// A call that sleeps ends by one signal, whenever that comes: before, in, or after the window.
TEST_F(cancel_window, one_signal_ends_a_sleeping_call) {
    ASSERT_EQ(mprotect(cancelled, sizeof *cancelled, PROT_READ | PROT_WRITE), 0);
    interrupted = place::nowhere;
    for (int turn = 0; turn < 1000; ++turn) {
        char byte = 0;
        const std::array<long, 6> a{ends_[0], reinterpret_cast<long>(&byte), 1, 0, 0, 0};
        std::atomic_ref<int> flag{*cancelled};
        flag.store(0);
        std::atomic<bool> has_begun{false};
        long result = 0;
        std::thread caller{[&] {
            has_begun.store(true);
            result = laio::laio_interruptible_call(cancelled, SYS_read, a.data());
        }};
        while (!has_begun.load()) {}
        for (int spin = 0; spin < turn; ++spin) has_begun.load(); // not always at the same place
        flag.store(1);
        pthread_kill(caller.native_handle(), cancel_signal);
        caller.join();
        ASSERT_TRUE(result == -ECANCELED || result == -EINTR) << result;
    }
}

} // namespace
