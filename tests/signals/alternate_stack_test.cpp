// sigaltstack(2) is the kernel thread's: home's is the application's at home, and carried it has none, unless it sets one.
#include "carried.hpp"
#include "handling.hpp"

#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace laio::test {
namespace {

class signals_alternate_stack : public signals {};

constexpr std::size_t stack_bytes = std::size_t{256} * 1024;
alignas(16) std::array<std::byte, stack_bytes> memory;
std::atomic<bool> was_on_it{false};

void note_stack(int) {
    const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    const auto begin = reinterpret_cast<std::uintptr_t>(memory.data());
    was_on_it = here >= begin && here < begin + stack_bytes;
    ++handled;
}

void set_alternate_stack() {
    stack_t stack{};
    stack.ss_sp = memory.data();
    stack.ss_size = memory.size();
    ASSERT_EQ(sigaltstack(&stack, nullptr), 0);
}

void remove_alternate_stack() {
    stack_t stack{};
    stack.ss_flags = SS_DISABLE;
    ASSERT_EQ(sigaltstack(&stack, nullptr), 0);
}

void expect_on_it(bool expected, const char *place) {
    handled = 0;
    was_on_it = false;
    raise(SIGUSR1);
    EXPECT_EQ(handled, 1) << place;
    EXPECT_EQ(was_on_it, expected) << place;
    stack_t is{};
    sigaltstack(nullptr, &is);
    EXPECT_EQ((is.ss_flags & SS_DISABLE) == 0, expected) << place;
    if (expected) {
        EXPECT_EQ(is.ss_sp, memory.data()) << place;
        EXPECT_EQ(is.ss_size, memory.size()) << place;
    }
}

TEST_F(signals_alternate_stack, of_home_is_there_at_home) {
    run_in_child([] {
        set_alternate_stack();
        handle(SIGUSR1, note_stack, SA_ONSTACK);
        application self;
        expect_on_it(true, "at home");
        self.away();
        expect_on_it(false, "carried");
        self.home();
        expect_on_it(true, "home again");
        remove_alternate_stack();
        expect_on_it(false, "at home");
    });
}

TEST_F(signals_alternate_stack, set_while_carried_lasts_while_that_one_carries) {
    run_in_child([] {
        handle(SIGUSR1, note_stack, SA_ONSTACK);
        application self;
        self.away();
        set_alternate_stack();
        expect_on_it(true, "carried");
        self.away();
        expect_on_it(false, "carried by another");
        self.home();
        expect_on_it(false, "at home");
        for (int i = 0; i < 8; ++i) {
            self.away();
            expect_on_it(false, "carried, perhaps by the first one");
            self.home();
        }
    });
}

TEST_F(signals_alternate_stack, handlers_that_want_none_have_none) {
    run_in_child([] {
        set_alternate_stack();
        handle(SIGUSR1, note_stack, 0);
        application self;
        in_each_place(self, [](const char *place) {
            handled = 0;
            raise(SIGUSR1);
            EXPECT_EQ(handled, 1) << place;
            EXPECT_FALSE(was_on_it) << place;
        });
    });
}

sigjmp_buf way_out;

// NOLINTNEXTLINE(misc-no-recursion): what it is for
[[gnu::noinline]] std::size_t overflow(std::size_t depth) {
    std::array<volatile char, 4096> frame{};
    frame[depth % frame.size()] = static_cast<char>(depth);
    return depth == SIZE_MAX ? 0 : overflow(depth + 1) + static_cast<std::size_t>(frame[0]);
}

// The handler can run nowhere but on the alternate stack.
TEST_F(signals_alternate_stack, an_overflow_of_the_stack_is_caught_at_home) {
    run_in_child([] {
        constexpr rlimit small{1 << 20, RLIM_INFINITY};
        setrlimit(RLIMIT_STACK, &small);
        set_alternate_stack();
        handle(
            SIGSEGV,
            [](int) {
                note_stack(0);
                siglongjmp(way_out, 1);
            },
            SA_ONSTACK);
        application self;
        for (int i = 0; i < 3; ++i) {
            was_on_it = false;
            if (sigsetjmp(way_out, 1) == 0) overflow(0);
            EXPECT_TRUE(was_on_it);
            self.away();
            self.home();
        }
    });
}

// Only one thread at a time uses it: those that were left behind handle nothing.
TEST_F(signals_alternate_stack, signals_pour_in_while_calls_block) {
    run_in_child([] {
        set_alternate_stack();
        handle(
            SIGUSR1,
            [](int) {
                std::array<volatile char, 1024> mine{};
                for (std::size_t i = 0; i < mine.size(); ++i) mine[i] = 'm';
                for (std::size_t i = 0; i < mine.size(); ++i)
                    if (mine[i] != 'm') was_on_it = false;
                ++handled;
            },
            SA_ONSTACK | SA_RESTART);
        was_on_it = true;
        application self;
        const pid_t parent = getpid();
        pipe_ends leash = make_pipe();
        const pid_t sender = fork();
        if (sender == 0) {
            leash.writer.reset();
            while (!is_readable(leash.reader.get()) && kill(parent, SIGUSR1) == 0) {}
            _exit(0);
        }
        leash.reader.reset();
        for (int i = 0; i < 200; ++i) {
            self.block(1 + i % 4);
            self.home();
        }
        write_all(leash.writer.get(), "e");
        waitpid(sender, nullptr, 0);
        EXPECT_TRUE(was_on_it);
        EXPECT_GT(handled, 0);
    });
}

} // namespace
} // namespace laio::test
