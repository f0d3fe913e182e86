// What a thread knows itself by and keeps for itself: errno, thread_local variables and their destructors, pthread_self(),
// thread-specific data, exceptions in flight, the heap. All of it goes with the application. Its kernel thread's number
// does not: gettid(2) says who carries it, but through the library, where home is free, what it always said.
#include "journey.hpp"

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <dlfcn.h>
#include <exception>
#include <fcntl.h>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace laio::test {
namespace {

using thread_identity = identity_test;

thread_local int plain_variable = 7;
thread_local std::string variable_with_constructor = "seven";

TEST_F(thread_identity, errno_is_the_applications) {
    int *const place = &errno;
    at_each_place([&](journey &) {
        EXPECT_EQ(&errno, place);
        errno = ESRCH;
        EXPECT_EQ(close(-1), -1);
        EXPECT_EQ(errno, EBADF);
        errno = ESRCH;
        EXPECT_EQ(laio_syscall(SYS_faccessat, AT_FDCWD, "/nowhere/at/all", F_OK), -1); // in place
        EXPECT_EQ(errno, ENOENT);
        errno = ESRCH;
        EXPECT_GE(laio_syscall(SYS_getppid), 0);
        EXPECT_EQ(errno, ESRCH);
    });
}

TEST_F(thread_identity, thread_local_variables_are_the_applications) {
    int *const plain = &plain_variable;
    std::string *const constructed = &variable_with_constructor;
    int value = 7;
    at_each_place([&](journey &) {
        EXPECT_EQ(&plain_variable, plain);
        EXPECT_EQ(&variable_with_constructor, constructed);
        EXPECT_EQ(plain_variable, value);
        plain_variable = ++value;
        EXPECT_EQ(variable_with_constructor.size(), static_cast<std::size_t>(value - 3));
        variable_with_constructor += 'x';
    });
    plain_variable = 7;
    variable_with_constructor = "seven";
}

TEST_F(thread_identity, pthread_self_stays_and_its_data) {
    const pthread_t self = pthread_self();
    const std::thread::id id = std::this_thread::get_id();
    pthread_key_t key{};
    ASSERT_EQ(pthread_key_create(&key, nullptr), 0);
    int here = 0;
    pthread_setspecific(key, &here);
    at_each_place([&](journey &) {
        EXPECT_TRUE(pthread_equal(pthread_self(), self));
        EXPECT_EQ(std::this_thread::get_id(), id);
        EXPECT_EQ(pthread_getspecific(key), &here);
    });
    pthread_key_delete(key);
}

// Documented: only the number of the kernel thread changes, and the process's does not.
TEST_F(thread_identity, gettid_tells_who_carries) {
    const pid_t process = getpid();
    const pid_t parent = getppid();
    journey way;
    EXPECT_EQ(laio_syscall(SYS_gettid), way.home());
    way.leave();
    const pid_t first = kernel_thread();
    EXPECT_NE(first, way.home());
    EXPECT_EQ(gettid(), first);
    EXPECT_EQ(laio_syscall(SYS_gettid), first) << "home is not free: nobody else could answer";
    EXPECT_EQ(getpid(), process);
    EXPECT_EQ(getppid(), parent);
    way.leave();
    EXPECT_NE(kernel_thread(), first);
    EXPECT_NE(kernel_thread(), way.home());
    way.unblock();
    EXPECT_TRUE(way.is_away());
    EXPECT_EQ(laio_syscall(SYS_gettid), way.home()) << "home is free: it comes home to answer";
    EXPECT_FALSE(way.is_away());
}

// What the library gives the loop for its home to wait with is not seen as the application's.
TEST_F(thread_identity, another_thread_is_another_thread) {
    at_each_place([&](journey &) {
        std::thread other{[outer = pthread_self()] {
            EXPECT_FALSE(pthread_equal(pthread_self(), outer));
            EXPECT_EQ(plain_variable, 7);
            plain_variable = 1;
            EXPECT_EQ(laio_outstanding(), 0);
        }};
        other.join();
        EXPECT_EQ(plain_variable, 7);
    });
}

struct counted {
    std::atomic<int> *destroyed = nullptr;
    pthread_t made_by{};
    ~counted() {
        if (destroyed == nullptr) return;
        EXPECT_TRUE(pthread_equal(pthread_self(), made_by));
        destroyed->fetch_add(1);
    }
};
thread_local counted counter;

void count_at_key_end(void *argument) { static_cast<std::atomic<int> *>(argument)->fetch_add(1); }

// Made at home or while carried: each is destroyed once, at the thread's end, by its own thread.
TEST_F(thread_identity, destructors_run_once_at_the_threads_end) {
    for (const bool made_away : {false, true}) {
        for (const bool ends_away : {false, true}) {
            SCOPED_TRACE(std::string{made_away ? "made away, " : "made at home, "} +
                         (ends_away ? "ends away" : "ends home"));
            std::atomic<int> destroyed{0};
            std::atomic<int> key_ended{0};
            pthread_key_t key{};
            ASSERT_EQ(pthread_key_create(&key, count_at_key_end), 0);
            std::thread other{[&] {
                ASSERT_EQ(why_no_activations(), "");
                journey way;
                if (made_away) way.leave();
                counter.destroyed = &destroyed;
                counter.made_by = pthread_self();
                pthread_setspecific(key, &key_ended);
                if (made_away) way.go_home();
                if (!ends_away) return;
                way.leave();
                way.unblock();
                EXPECT_TRUE(way.is_away());
            }};
            other.join();
            EXPECT_EQ(destroyed.load(), 1);
            EXPECT_EQ(key_ended.load(), 1);
            pthread_key_delete(key);
        }
    }
}

struct fault : std::runtime_error {
    using std::runtime_error::runtime_error;
};

[[gnu::noinline]] void throw_through_calls(journey &way, int depth) {
    const std::unique_ptr<int> held = std::make_unique<int>(depth);
    if (depth == 0) {
        EXPECT_EQ(laio_syscall(SYS_faccessat, AT_FDCWD, "/", F_OK), 0);
        throw fault{std::to_string(way.home())};
    }
    throw_through_calls(way, depth - 1);
    EXPECT_EQ(*held, depth); // not a tail call
}

TEST_F(thread_identity, exceptions_are_thrown_and_caught) {
    at_each_place([&](journey &way) {
        try {
            throw_through_calls(way, 20);
            ADD_FAILURE() << "nothing was thrown";
        } catch (const fault &caught) { EXPECT_EQ(caught.what(), std::to_string(way.home())); }
    });
}

// From where a frame was entered to where its handler is, another thread has taken over.
TEST_F(thread_identity, exceptions_cross_a_change_of_carrier) {
    journey way;
    try {
        way.leave();
        throw fault{"left"};
    } catch (const fault &caught) { EXPECT_STREQ(caught.what(), "left"); }
    try {
        way.go_home();
        throw fault{"came"};
    } catch (const fault &caught) { EXPECT_STREQ(caught.what(), "came"); }
    // caught at home, being handled while carried, thrown on when home again
    try {
        try {
            throw fault{"kept"};
        } catch (const fault &) {
            way.leave();
            EXPECT_TRUE(std::current_exception() != nullptr);
            way.go_home();
            throw;
        }
    } catch (const fault &caught) { EXPECT_STREQ(caught.what(), "kept"); }
    EXPECT_EQ(std::uncaught_exceptions(), 0);
}

TEST_F(thread_identity, destructors_of_an_exception_may_travel) {
    journey way;
    struct traveller {
        journey &way;
        ~traveller() {
            EXPECT_EQ(std::uncaught_exceptions(), 1);
            way.leave();
            EXPECT_EQ(std::uncaught_exceptions(), 1);
        }
    };
    try {
        const traveller inside{way};
        throw fault{"through"};
    } catch (const fault &caught) { EXPECT_STREQ(caught.what(), "through"); }
    EXPECT_EQ(std::uncaught_exceptions(), 0);
    way.go_home();
}

TEST_F(thread_identity, memory_is_freed_elsewhere_than_it_was_had) {
    std::vector<std::unique_ptr<char[]>> kept;
    std::size_t size = 1;
    at_each_place([&](journey &) {
        for (int i = 0; i < 2000; ++i) {
            size = size * 5 % 70001 + 1;
            kept.push_back(std::make_unique<char[]>(size));
            kept.back()[size - 1] = 'x';
            if (i % 3 == 0) kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(size % kept.size()));
        }
        void *more = std::malloc(3000000);
        more = std::realloc(more, 6000000);
        EXPECT_NE(more, nullptr);
        std::free(more);
    });
}

TEST_F(thread_identity, once_is_once) {
    at_each_place([&](journey &way) {
        std::once_flag flag;
        int count = 0;
        std::call_once(flag, [&] { ++count; });
        std::call_once(flag, [&] { ++count; });
        EXPECT_EQ(count, 1);
        if (way.is_away()) return;
        // begun on one kernel thread and ended on another
        std::once_flag during;
        std::call_once(during, [&] {
            way.leave();
            ++count;
        });
        std::call_once(during, [&] { ++count; });
        EXPECT_EQ(count, 2);
        way.go_home();
    });
}

// A library that is loaded while carried, with its errors kept by thread.
TEST_F(thread_identity, libraries_are_loaded) {
    at_each_place([&](journey &) {
        EXPECT_EQ(dlopen("/nowhere/lib.so", RTLD_NOW), nullptr);
        EXPECT_NE(dlerror(), nullptr);
        void *library = dlopen("libresolv.so.2", RTLD_NOW);
        EXPECT_NE(library, nullptr);
        if (library != nullptr) dlclose(library);
    });
}

} // namespace
} // namespace laio::test
