// pthread_cancel(3). libc asks for it by a note in the thread's own memory, which goes with the application, and, where the
// thread waits inside libc, by a signal to the kernel thread that it was made with: home.
#include "acts.hpp"
#include "journey.hpp"

#include <atomic>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>

namespace laio::test {
namespace {

class cancellation_identity : public identity_test {
protected:
    // Runs body in another thread, away or at home, and cancels it when it is_ready. True: it was.
    template <class body> static bool is_cancelled(bool away, body run) {
        struct shared {
            bool away;
            body run;
            std::binary_semaphore is_ready{0};
            std::binary_semaphore is_asked{0};
        } both{away, run};
        pthread_t thread{};
        const int error = pthread_create(
            &thread, nullptr,
            [](void *argument) -> void * {
                auto &its = *static_cast<shared *>(argument);
                EXPECT_EQ(why_no_activations(), "");
                journey way;
                way.leave();
                if (!its.away) way.go_home();
                its.run(way, its.is_ready, its.is_asked);
                return nullptr;
            },
            &both);
        if (error != 0) throw std::system_error{error, std::generic_category(), "pthread_create"};
        both.is_ready.acquire();
        EXPECT_EQ(pthread_cancel(thread), 0);
        both.is_asked.release();
        void *result = nullptr;
        EXPECT_EQ(pthread_join(thread, &result), 0);
        return result == PTHREAD_CANCELED;
    }
};

TEST_F(cancellation_identity, at_the_next_point) {
    for (const bool away : {false, true}) {
        std::atomic<bool> passed{false};
        const bool was = is_cancelled(away, [&](journey &, std::binary_semaphore &ready, std::binary_semaphore &asked) {
            ready.release();
            while (!asked.try_acquire()) {} // acquire() is no cancellation point, but it is libc's to say so
            passed.store(true);
            for (;;) pthread_testcancel();
        });
        EXPECT_TRUE(was) << (away ? "away" : "home");
        EXPECT_TRUE(passed.load());
    }
}

TEST_F(cancellation_identity, inside_libc_at_home) {
    const pipe_ends nothing = make_pipe();
    const bool was = is_cancelled(false, [&](journey &, std::binary_semaphore &ready, std::binary_semaphore &) {
        ready.release();
        char byte = 0;
        while (read(nothing.reader.get(), &byte, 1) >= 0) {}
    });
    EXPECT_TRUE(was);
}

// Neither is a cancellation point: what was asked for meanwhile is done at the next one.
TEST_F(cancellation_identity, not_inside_the_library) {
    for (const bool away : {false, true}) {
        const pipe_ends ends = make_pipe();
        std::atomic<bool> passed{false};
        const bool was = is_cancelled(away, [&](journey &, std::binary_semaphore &ready, std::binary_semaphore &asked) {
            ready.release();
            while (!asked.try_acquire()) {}
            EXPECT_EQ(laio_syscall(SYS_faccessat, AT_FDCWD, "/", F_OK), 0);
            char byte = 0;
            EXPECT_EQ(laio_syscall(SYS_read, ends.reader.get(), &byte, 1), -1);
            const laio_handle_t reading = laio_gethandle();
            EXPECT_EQ(laio_syscall(SYS_write, ends.writer.get(), "x", 1), 1);
            EXPECT_EQ(next_completion().laio_handle, reading);
            EXPECT_EQ(byte, 'x');
            passed.store(true);
            pthread_testcancel();
        });
        EXPECT_TRUE(was) << (away ? "away" : "home");
        EXPECT_TRUE(passed.load());
    }
}

// Cancelled with calls in the air: they end, the thread comes home and ends, and what it cleans up is cleaned up.
TEST_F(cancellation_identity, cleans_up) {
    std::atomic<bool> cleaned{false};
    struct cleaning {
        std::atomic<bool> &done;
        ~cleaning() { done.store(true); }
    };
    const std::size_t before = threads();
    const bool was = is_cancelled(true, [&](journey &way, std::binary_semaphore &ready, std::binary_semaphore &asked) {
        const cleaning mark{cleaned};
        way.leave();
        ready.release();
        while (!asked.try_acquire()) {}
        for (;;) pthread_testcancel();
    });
    EXPECT_TRUE(was);
    EXPECT_TRUE(cleaned.load());
    wait_until([&] { return threads() <= before; });
}

} // namespace
} // namespace laio::test
