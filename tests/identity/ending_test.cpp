// The end of a process and of a thread, by every way that there is, while it is carried and while calls block: it is the end
// that it would have been at home. A process that ends does not wait for its calls; a thread does, having cancelled them.
#include "acts.hpp"
#include "journey.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <pthread.h>
#include <stdexcept>
#include <string>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace laio::test {
namespace {

using ending_identity = identity_test;

void expect_exit(const char *act, int code, const std::string &report) {
    SCOPED_TRACE(act);
    const act_result result = run_act(act);
    EXPECT_TRUE(WIFEXITED(result.status)) << "wait status " << result.status;
    EXPECT_EQ(WEXITSTATUS(result.status), code);
    EXPECT_EQ(result.report, report);
}

void expect_signal(const char *act, int number) {
    SCOPED_TRACE(act);
    const act_result result = run_act(act);
    EXPECT_TRUE(WIFSIGNALED(result.status)) << "wait status " << result.status << ": " << result.report;
    EXPECT_EQ(WTERMSIG(result.status), number) << result.report;
}

// ---- Processes: each act is away when it ends

struct last_words {
    const char *words;
    ~last_words() { std::printf("%s\n", words); }
};

journey &leave_for_good() {
    static auto *way = new journey; // NOLINT(cppcoreguidelines-owning-memory): it does not end
    way->leave();
    return *way;
}

void promise_last_words() {
    static const last_words of_process{"static"};
    thread_local const last_words of_thread{"thread_local"};
    (void)&of_thread;
    std::atexit([] { std::printf("atexit\n"); });
    std::printf("buffered\n"); // to a pipe: written at the end
}

LAIO_ACT(return_from_main) {
    leave_for_good();
    promise_last_words();
    return 5;
}
LAIO_ACT(call_exit) {
    leave_for_good();
    promise_last_words();
    std::exit(6);
}
LAIO_ACT(exit_when_home_again) {
    leave_for_good().go_home();
    promise_last_words();
    return 7;
}
LAIO_ACT(exit_at_once) {
    leave_for_good();
    promise_last_words();
    _exit(8);
}
LAIO_ACT(exit_group_through_the_library) {
    leave_for_good();
    laio_syscall(SYS_exit_group, 9);
    return 1;
}
LAIO_ACT(exit_from_another_thread) {
    leave_for_good();
    std::thread{[] { std::exit(10); }}.join();
    return 1;
}
LAIO_ACT(exit_after_fini) {
    const journey way;
    leave_for_good();
    laio_fini();
    promise_last_words();
    return way.is_away() ? 1 : 11;
}

TEST_F(ending_identity, process_exits) {
    const std::string words = "buffered\nthread_local\natexit\nstatic\n";
    expect_exit("return_from_main", 5, words);
    expect_exit("call_exit", 6, words);
    expect_exit("exit_when_home_again", 7, words);
    expect_exit("exit_at_once", 8, "");
    expect_exit("exit_group_through_the_library", 9, "");
    expect_exit("exit_from_another_thread", 10, "");
    expect_exit("exit_after_fini", 11, words);
}

// What runs at the end may make calls, and travel.
LAIO_ACT(travel_at_exit) {
    leave_for_good();
    struct traveller {
        ~traveller() {
            journey way;
            way.leave();
            report("thread_local\n");
        }
    };
    thread_local const traveller late;
    (void)&late;
    std::atexit([] {
        journey way;
        way.leave();
        report("atexit\n");
        way.leave();
    });
    return 13;
}

TEST_F(ending_identity, process_travels_as_it_exits) { expect_exit("travel_at_exit", 13, "thread_local\natexit\n"); }

LAIO_ACT(abort_away) {
    leave_for_good();
    std::abort();
}
LAIO_ACT(fault_away) {
    leave_for_good();
    *static_cast<volatile int *>(nullptr) = 1;
    return 1;
}
LAIO_ACT(throw_away) {
    leave_for_good();
    throw std::runtime_error{"nobody catches this"};
}
LAIO_ACT(kill_away) {
    leave_for_good();
    kill(getpid(), SIGTERM);
    for (;;) pause();
}
LAIO_ACT(recurse_away) {
    leave_for_good();
    struct deeper {
        static int go(volatile int *before) {
            volatile int here[1000] = {*before};
            if (here[0] != 0) return 0; // never: for the compiler
            return go(here) + here[999];
        }
    };
    volatile int none = 0;
    return deeper::go(&none);
}

TEST_F(ending_identity, process_crashes) {
    expect_signal("abort_away", SIGABRT);
    expect_signal("fault_away", SIGSEGV);
    expect_signal("throw_away", SIGABRT);
    expect_signal("kill_away", SIGTERM);
    expect_signal("recurse_away", SIGSEGV);
}

// The first thread ends while carried; the process goes on until the last one has.
LAIO_ACT(main_thread_ends) {
    leave_for_good();
    const pthread_t first = pthread_self();
    std::thread{[first] {
        report("joined: %d\n", pthread_join(first, nullptr));
        std::exit(12);
    }}.detach();
    pthread_exit(nullptr);
}

TEST_F(ending_identity, first_thread_ends) { expect_exit("main_thread_ends", 12, "joined: 0\n"); }

// ---- Threads

class thread_result {
public:
    explicit thread_result(void *(*run)(void *), void *argument) {
        if (const int error = pthread_create(&thread_, nullptr, run, argument); error != 0)
            throw std::system_error{error, std::generic_category(), "pthread_create"};
    }
    [[nodiscard]] pthread_t thread() const { return thread_; }
    void *join() {
        void *result = nullptr;
        EXPECT_EQ(pthread_join(thread_, &result), 0);
        return result;
    }

private:
    pthread_t thread_{};
};

int token = 0;

void run_journey(bool unblocks, bool goes_home) {
    if (!why_no_activations().empty()) throw std::runtime_error{"no activations in another thread"};
    journey way;
    way.leave();
    way.leave();
    if (unblocks) way.unblock();
    if (goes_home) way.go_home();
}

TEST_F(ending_identity, thread_returns) {
    const std::size_t before = threads();
    thread_result outstanding{[](void *) -> void * {
                                  run_journey(false, false);
                                  return &token;
                              },
                              nullptr};
    EXPECT_EQ(outstanding.join(), &token);
    thread_result carried{[](void *) -> void * {
                              run_journey(true, false);
                              return &token;
                          },
                          nullptr};
    EXPECT_EQ(carried.join(), &token);
    thread_result home{[](void *) -> void * {
                           run_journey(true, true);
                           return &token;
                       },
                       nullptr};
    EXPECT_EQ(home.join(), &token);
    wait_until([&] { return threads() <= before; });
}

struct unwound {
    std::atomic<bool> *seen;
    ~unwound() { seen->store(true); }
};

TEST_F(ending_identity, thread_calls_pthread_exit) {
    std::atomic<bool> unwinds{false};
    thread_result outstanding{[](void *seen) -> void * {
                                  const unwound mark{static_cast<std::atomic<bool> *>(seen)};
                                  journey way;
                                  way.leave();
                                  pthread_exit(&token);
                              },
                              &unwinds};
    EXPECT_EQ(outstanding.join(), &token);
    EXPECT_TRUE(unwinds.load());
}

// Its stack was given by us: nobody may be on it any more when it has been joined.
TEST_F(ending_identity, thread_is_off_its_stack_when_it_is_joined) {
    const std::size_t size = std::size_t{256} * 1024;
    for (int round = 0; round < 20; ++round) {
        void *stack = std::aligned_alloc(4096, size);
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        ASSERT_EQ(pthread_attr_setstack(&attributes, stack, size), 0);
        pthread_t thread{};
        ASSERT_EQ(pthread_create(
                      &thread, &attributes,
                      [](void *) -> void * {
                          run_journey(false, false);
                          return nullptr;
                      },
                      nullptr),
                  0);
        pthread_attr_destroy(&attributes);
        EXPECT_EQ(pthread_join(thread, nullptr), 0);
        std::fill_n(static_cast<char *>(stack), size, '\xcc');
        std::free(stack);
    }
}

TEST_F(ending_identity, detached_thread_ends) {
    const std::size_t before = threads();
    std::thread{[] { run_journey(false, false); }}.detach();
    std::thread{[] { run_journey(true, false); }}.detach();
    wait_until([&] { return threads() <= before; });
}

struct late_traveller {
    std::atomic<int> *count = nullptr;
    ~late_traveller() {
        if (count == nullptr) return;
        try {
            run_journey(true, false);
            count->fetch_add(1);
        } catch (const std::exception &error) { ADD_FAILURE() << error.what(); }
    }
};
thread_local late_traveller late;

// Destructors run before the loop is ended, and after it: those make another, which is ended as well.
TEST_F(ending_identity, thread_travels_as_it_ends) {
    const std::size_t before = threads();
    static std::atomic<int> count{0};
    std::array<pthread_key_t, 3> keys{};
    for (pthread_key_t &key : keys) {
        ASSERT_EQ(pthread_key_create(&key,
                                     [](void *) {
                                         run_journey(false, false);
                                         count.fetch_add(1);
                                     }),
                  0);
    }
    std::thread{[&] {
        run_journey(false, false);
        late.count = &count;
        for (const pthread_key_t key : keys) pthread_setspecific(key, &count);
    }}.join();
    EXPECT_EQ(count.load(), 4);
    wait_until([&] { return threads() <= before; });
    for (const pthread_key_t key : keys) pthread_key_delete(key);
}

TEST_F(ending_identity, fini_comes_home) {
    journey way;
    way.leave();
    way.leave();
    EXPECT_EQ(laio_outstanding(), 2);
    EXPECT_EQ(laio_fini(), 0);
    EXPECT_FALSE(way.is_away());
    EXPECT_EQ(laio_outstanding(), 0);
    EXPECT_EQ(why_no_activations(), ""); // another loop
    journey again;
    again.leave();
    again.go_home();
}

} // namespace
} // namespace laio::test
