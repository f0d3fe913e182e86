// The stack: the application's own goes with it, its bounds stay what they were, it grows as it did, and whoever unwinds it
// (backtrace(3), a handler, a debugger) finds main() or where the thread began, from inside a call that is made in place too.
#include "journey.hpp"

#include <algorithm>
#include <alloca.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <execinfo.h>
#include <pthread.h>
#include <stdexcept>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>
#include <unwind.h>

namespace laio::test {
namespace {

class stack_identity : public identity_test {
protected:
    void SetUp() override {
        void *one = nullptr;
        backtrace(&one, 1); // loads what it needs
        identity_test::SetUp();
    }
};

struct bounds {
    void *base = nullptr;
    std::size_t size = 0;
    std::size_t guard = 0;
    friend bool operator==(const bounds &, const bounds &) = default;
};

bounds own_bounds() {
    bounds own;
    pthread_attr_t attributes;
    EXPECT_EQ(pthread_getattr_np(pthread_self(), &attributes), 0);
    EXPECT_EQ(pthread_attr_getstack(&attributes, &own.base, &own.size), 0);
    EXPECT_EQ(pthread_attr_getguardsize(&attributes, &own.guard), 0);
    pthread_attr_destroy(&attributes);
    return own;
}

bool is_on(const bounds &stack, const void *place) {
    const auto address = reinterpret_cast<std::uintptr_t>(place);
    const auto base = reinterpret_cast<std::uintptr_t>(stack.base);
    return address >= base && address < base + stack.size;
}

TEST_F(stack_identity, bounds_stay) {
    const auto look = [] {
        const bounds before = own_bounds();
        at_each_place([&](journey &) {
            const bounds now = own_bounds();
            EXPECT_EQ(now, before);
            EXPECT_TRUE(is_on(now, &now));
            EXPECT_TRUE(is_on(now, __builtin_frame_address(0)));
        });
    };
    look(); // the process's first thread, whose stack grows
    std::thread{[&] {
        EXPECT_EQ(why_no_activations(), "");
        look();
    }}.join();
}

[[gnu::noinline]] long fill_frames(int depth) {
    std::array<volatile char, 8192> frame;
    for (std::size_t i = 0; i < frame.size(); i += 512) frame[i] = static_cast<char>(depth);
    const long below = depth > 0 ? fill_frames(depth - 1) : 0;
    return below + frame[512];
}

// Further down each time, so that pages that nobody has touched are needed while carried.
TEST_F(stack_identity, grows) {
    rlimit limit{};
    ASSERT_EQ(getrlimit(RLIMIT_STACK, &limit), 0);
    const std::size_t most = std::min<std::size_t>(limit.rlim_cur, 8U << 20U) / 2;
    std::size_t size = most / 4;
    at_each_place([&](journey &) {
        char *block = static_cast<char *>(alloca(size));
        std::memset(block, 'x', size);
        EXPECT_EQ(block[size / 2], 'x');
        size += most / 4;
    });
    int depth = static_cast<int>(most / 8192 / 4);
    at_each_place([&](journey &) {
        EXPECT_NE(fill_frames(depth), -1);
        depth += static_cast<int>(most / 8192 / 4);
    });
}

// What lies on it is read and written by who waits behind: a call's buffers, another thread.
TEST_F(stack_identity, is_the_place_of_a_calls_memory) {
    const pipe_ends ends = make_pipe();
    journey way;
    way.leave();
    std::array<char, 4> bytes{};
    EXPECT_EQ(laio_syscall(SYS_read, ends.reader.get(), bytes.data(), 4), -1); // it waits
    const laio_handle_t handle = laio_gethandle();
    ASSERT_NE(handle, nullptr);
    write_all(ends.writer.get(), "well");
    EXPECT_EQ(next_completion().laio_handle, handle);
    EXPECT_EQ(std::memcmp(bytes.data(), "well", 4), 0);
    way.go_home();
}

// ---- Unwinding

struct trace {
    std::array<std::uintptr_t, 200> frames{};
    std::size_t count = 0;
};

_Unwind_Reason_Code note_frame(_Unwind_Context *context, void *argument) {
    auto &seen = *static_cast<trace *>(argument);
    const std::uintptr_t place = _Unwind_GetIP(context);
    if (place != 0 && seen.count < seen.frames.size()) seen.frames[seen.count++] = place; // 0: the end
    return _URC_NO_REASON;
}

[[gnu::noinline]] trace unwind() {
    trace seen;
    _Unwind_Backtrace(note_frame, &seen);
    return seen;
}

// The frames of whoever called us, from the outermost: the way in which two traces have to agree.
bool same_origin(const trace &one, const trace &other, std::size_t frames) {
    if (one.count < frames || other.count < frames) return false;
    return std::equal(one.frames.data() + one.count - frames, one.frames.data() + one.count,
                      other.frames.data() + other.count - frames);
}

// All but the frames below here, each of which may stand at another line.
constexpr std::size_t frames_below = 4;

// Of the test's body, without inlined parts: same place in it, and so the same outer frames.
class origin {
public:
    origin() : at_home_{unwind()} {}
    [[nodiscard]] bool is_reached_by(const trace &seen) const {
        return at_home_.count > frames_below && same_origin(seen, at_home_, at_home_.count - frames_below);
    }

private:
    trace at_home_;
};

TEST_F(stack_identity, unwinds_to_its_origin) {
    const origin here;
    at_each_place([&](journey &) {
        EXPECT_TRUE(here.is_reached_by(unwind()));
        std::array<void *, 200> frames{};
        const int count = backtrace(frames.data(), static_cast<int>(frames.size()));
        trace seen;
        std::transform(frames.data(), frames.data() + count, seen.frames.data(),
                       [](void *frame) { return reinterpret_cast<std::uintptr_t>(frame); });
        seen.count = static_cast<std::size_t>(count);
        EXPECT_TRUE(here.is_reached_by(seen));
    });
}

trace of_handler;
bool has_handled = false;

void unwind_in_handler(int) {
    of_handler = unwind();
    has_handled = true;
}

class handled {
public:
    explicit handled(int number) : number_{number} {
        struct sigaction action {};
        action.sa_handler = unwind_in_handler;
        if (sigaction(number, &action, &before_) != 0) throw std::runtime_error{"sigaction"};
        has_handled = false;
    }
    ~handled() { sigaction(number_, &before_, nullptr); }
    handled(const handled &) = delete;
    handled &operator=(const handled &) = delete;

private:
    int number_;
    struct sigaction before_ {};
};

TEST_F(stack_identity, unwinds_from_a_handler) {
    const handled signal{SIGUSR2};
    const origin here;
    at_each_place([&](journey &) {
        has_handled = false;
        EXPECT_EQ(std::raise(SIGUSR2), 0);
        EXPECT_TRUE(has_handled);
        EXPECT_TRUE(here.is_reached_by(of_handler));
    });
}

// A call that is made in place sends a signal to who makes it: splice(2) to a pipe that nobody reads. The handler finds
// the way from the carrier's stack to the application's.
TEST_F(stack_identity, unwinds_from_inside_a_call) {
    const handled signal{SIGPIPE};
    const origin here;
    at_each_place([&](journey &) {
        const pipe_ends from = make_pipe();
        pipe_ends to = make_pipe();
        write_all(from.writer.get(), "x");
        to.reader.reset();
        has_handled = false;
        EXPECT_EQ(laio_syscall(SYS_splice, from.reader.get(), nullptr, to.writer.get(), nullptr, 1, 0), -1);
        EXPECT_EQ(errno, EPIPE);
        EXPECT_TRUE(has_handled);
        EXPECT_TRUE(here.is_reached_by(of_handler));
    });
}

} // namespace
} // namespace laio::test
