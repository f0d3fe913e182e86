// Locks, held by an application that changes its kernel thread while it holds them. What pthread_mutex_t notes of its owner
// is libc's number of the thread, which goes along; so all kinds work, robust ones too. The one exception is a
// priority-inheriting mutex that others wait for: there the kernel compares its own number of the caller.
#include "journey.hpp"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <linux/futex.h>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <string>
#include <sys/syscall.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace laio::test {
namespace {

using lock_identity = identity_test;

struct kind {
    const char *name;
    int type;
    int protocol;
    int robustness;
    friend std::ostream &operator<<(std::ostream &stream, const kind &shown) { return stream << shown.name; }
};

class mutex {
public:
    explicit mutex(const kind &which) {
        pthread_mutexattr_t attributes;
        pthread_mutexattr_init(&attributes);
        pthread_mutexattr_settype(&attributes, which.type);
        pthread_mutexattr_setprotocol(&attributes, which.protocol);
        pthread_mutexattr_setrobust(&attributes, which.robustness);
        const int error = pthread_mutex_init(&it_, &attributes);
        pthread_mutexattr_destroy(&attributes);
        if (error != 0) throw std::system_error{error, std::generic_category(), "pthread_mutex_init"};
    }
    ~mutex() { pthread_mutex_destroy(&it_); }
    mutex(const mutex &) = delete;
    mutex &operator=(const mutex &) = delete;

    int lock() { return pthread_mutex_lock(&it_); }
    int try_lock() { return pthread_mutex_trylock(&it_); }
    int unlock() { return pthread_mutex_unlock(&it_); }
    int make_consistent() { return pthread_mutex_consistent(&it_); }
    // As of another thread: 0 (and it is unlocked again), or why it is not to be had.
    int try_elsewhere() {
        int error = -1;
        std::thread{[&] {
            error = try_lock();
            if (error == 0) unlock();
        }}.join();
        return error;
    }
    // libc keeps the futex in its first word: 2, or where it holds the owner's number, a bit.
    [[nodiscard]] bool has_waiters() {
        const unsigned word = __atomic_load_n(reinterpret_cast<unsigned *>(&it_), __ATOMIC_ACQUIRE);
        return word == 2 || (word & 0x80000000U) != 0;
    }

private:
    pthread_mutex_t it_{};
};

class each_kind : public identity_test, public ::testing::WithParamInterface<kind> {};

// Those that others may wait for while their owner travels: all but the inheriting ones, of which more below.
class each_waited_for : public each_kind {};

std::string name_of(const ::testing::TestParamInfo<kind> &instance) { return instance.param.name; }

const auto plain_kinds =
    ::testing::Values(kind{"normal", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED},
                      kind{"recursive", PTHREAD_MUTEX_RECURSIVE, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED},
                      kind{"errorcheck", PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED},
                      kind{"adaptive", PTHREAD_MUTEX_ADAPTIVE_NP, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED},
                      kind{"robust", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_ROBUST},
                      kind{"robust_errorcheck", PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_ROBUST});
const auto inheriting_kinds = ::testing::Values(
    kind{"inheriting", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED},
    kind{"inheriting_recursive", PTHREAD_MUTEX_RECURSIVE, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED},
    kind{"inheriting_robust", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_ROBUST});

INSTANTIATE_TEST_SUITE_P(plain, each_kind, plain_kinds, name_of);
INSTANTIATE_TEST_SUITE_P(inheriting, each_kind, inheriting_kinds, name_of);
INSTANTIATE_TEST_SUITE_P(plain, each_waited_for, plain_kinds, name_of);

TEST_P(each_kind, is_locked_and_unlocked_anywhere) {
    mutex one{GetParam()};
    at_each_place([&](journey &) {
        EXPECT_EQ(one.lock(), 0);
        EXPECT_EQ(one.try_elsewhere(), EBUSY);
        EXPECT_EQ(one.unlock(), 0);
        EXPECT_EQ(one.try_elsewhere(), 0);
    });
}

TEST_P(each_kind, is_held_on_the_way) {
    mutex one{GetParam()};
    journey way;
    EXPECT_EQ(one.lock(), 0);
    way.leave();
    EXPECT_EQ(one.try_elsewhere(), EBUSY);
    EXPECT_EQ(one.unlock(), 0);
    EXPECT_EQ(one.try_elsewhere(), 0);

    EXPECT_EQ(one.lock(), 0);
    way.leave(); // from one carrier to another
    EXPECT_EQ(one.unlock(), 0);

    EXPECT_EQ(one.lock(), 0);
    way.go_home();
    EXPECT_EQ(one.try_elsewhere(), EBUSY);
    EXPECT_EQ(one.unlock(), 0);
    EXPECT_EQ(one.try_elsewhere(), 0);
}

TEST_P(each_kind, knows_its_owner) {
    mutex one{GetParam()};
    journey way;
    const int again = GetParam().type == PTHREAD_MUTEX_RECURSIVE    ? 0
                      : GetParam().type == PTHREAD_MUTEX_ERRORCHECK ? EDEADLK
                                                                    : EBUSY;
    for (int round = 0; round < 2; ++round) {
        EXPECT_EQ(one.lock(), 0);
        round == 0 ? way.leave() : way.go_home();
        EXPECT_EQ(again == EBUSY ? one.try_lock() : one.lock(), again);
        if (again == 0) { EXPECT_EQ(one.unlock(), 0); }
        EXPECT_EQ(one.try_elsewhere(), EBUSY);
        EXPECT_EQ(one.unlock(), 0);
        EXPECT_EQ(one.try_elsewhere(), 0);
        if (GetParam().type == PTHREAD_MUTEX_ERRORCHECK) { EXPECT_EQ(one.unlock(), EPERM); }
    }
}

// It waits for the lock while carried, another thread hands it over, and it is its owner.
TEST_P(each_waited_for, while_carried) {
    at_each_place([&](journey &) {
        mutex one{GetParam()};
        std::binary_semaphore is_held{0};
        std::atomic<bool> is_free{false};
        std::thread other{[&] {
            EXPECT_EQ(one.lock(), 0);
            is_held.release();
            wait_until([&] { return one.has_waiters(); });
            is_free.store(true);
            EXPECT_EQ(one.unlock(), 0);
        }};
        is_held.acquire();
        EXPECT_EQ(one.lock(), 0);
        EXPECT_TRUE(is_free.load());
        EXPECT_EQ(one.try_elsewhere(), EBUSY);
        EXPECT_EQ(one.unlock(), 0);
        other.join();
    });
}

// Others wait while its owner travels: they get it, wherever that is.
TEST_P(each_waited_for, is_handed_to_who_waits) {
    for (const bool away : {true, false}) {
        journey way;
        mutex one{GetParam()};
        if (!away) way.leave();
        EXPECT_EQ(one.lock(), 0);
        int got = -1;
        std::thread other{[&] {
            got = one.lock();
            if (got == 0) one.unlock();
        }};
        wait_until([&] { return one.has_waiters(); });
        away ? way.leave() : way.go_home();
        EXPECT_EQ(one.unlock(), 0);
        other.join();
        EXPECT_EQ(got, 0);
        way.go_home();
    }
}

constexpr kind robust{"", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_ROBUST};
constexpr kind inheriting{"", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED};

// Locked at home or away, by a thread that ends: the next owner is told.
TEST_F(lock_identity, robust_mutex_of_a_thread_that_ended) {
    for (const bool away : {false, true}) {
        mutex one{robust};
        std::thread{[&] {
            ASSERT_EQ(why_no_activations(), "");
            journey way;
            if (away) way.leave();
            EXPECT_EQ(one.lock(), 0);
            if (!away) way.leave();
        }}.join();
        EXPECT_EQ(one.lock(), EOWNERDEAD);
        EXPECT_EQ(one.make_consistent(), 0);
        EXPECT_EQ(one.unlock(), 0);
        EXPECT_EQ(one.try_elsewhere(), 0);
    }
}

// Documented. While others wait for it, the kernel refuses to unlock such a mutex for another kernel thread than the one
// that it was locked on. libc does not tell of that: it stays locked, until it is unlocked again at home.
TEST_F(lock_identity, priority_inheritance_unlocked_away_while_others_wait) {
    journey way;
    mutex one{inheriting};
    EXPECT_EQ(one.lock(), 0);
    std::atomic<int> got{-1};
    std::thread other{[&] {
        got = one.lock();
        one.unlock();
    }};
    wait_until([&] { return one.has_waiters(); });
    way.leave();
    one.unlock();
    EXPECT_TRUE(one.has_waiters()) << "nobody got it";
    EXPECT_EQ(one.try_elsewhere(), EBUSY);
    EXPECT_EQ(got.load(), -1);
    way.go_home();
    EXPECT_EQ(one.unlock(), 0);
    other.join();
    EXPECT_EQ(got.load(), 0);
    EXPECT_EQ(one.try_elsewhere(), 0);
}

// Documented. Got from another thread by waiting while carried, it is the carrier's for the kernel, and libc does not know
// that owner: it can be unlocked by libc nowhere. Here the kernel is asked directly, so that the mutex ends well.
TEST_F(lock_identity, priority_inheritance_waited_for_while_carried) {
    journey way;
    way.leave();
    mutex one{inheriting};
    std::binary_semaphore is_held{0};
    std::thread other{[&] {
        EXPECT_EQ(one.lock(), 0);
        is_held.release();
        wait_until([&] { return one.has_waiters(); });
        EXPECT_EQ(one.unlock(), 0);
    }};
    is_held.acquire();
    EXPECT_EQ(one.lock(), 0);
    other.join();
    EXPECT_EQ(one.try_elsewhere(), EBUSY);
    EXPECT_EQ(one.unlock(), EPERM);
    EXPECT_EQ(one.try_elsewhere(), EBUSY);
    EXPECT_EQ(syscall(SYS_futex, &one, FUTEX_UNLOCK_PI_PRIVATE, 0, nullptr), 0);
    EXPECT_EQ(one.try_elsewhere(), 0);
}

TEST_F(lock_identity, standard_mutexes) {
    std::mutex plain;
    std::recursive_mutex recursive;
    std::timed_mutex timed;
    journey way;
    const std::scoped_lock hold{plain, recursive, timed};
    way.leave();
    EXPECT_TRUE(recursive.try_lock());
    recursive.unlock();
    std::thread{[&] {
        EXPECT_FALSE(plain.try_lock());
        EXPECT_FALSE(recursive.try_lock());
        EXPECT_FALSE(timed.try_lock_for(std::chrono::milliseconds{1}));
    }}.join();
    way.go_home();
    EXPECT_TRUE(recursive.try_lock());
    recursive.unlock();
}

TEST_F(lock_identity, shared_mutexes) {
    std::shared_mutex lock;
    pthread_rwlock_t noted = PTHREAD_RWLOCK_INITIALIZER;
    at_each_place([&](journey &way) {
        lock.lock();
        std::thread{[&] { EXPECT_FALSE(lock.try_lock_shared()); }}.join();
        lock.unlock();
        EXPECT_EQ(pthread_rwlock_wrlock(&noted), 0);
        EXPECT_EQ(pthread_rwlock_wrlock(&noted), EDEADLK) << "it knows who wrote";
        EXPECT_EQ(pthread_rwlock_unlock(&noted), 0);
        if (way.is_away()) return;
        lock.lock_shared();
        way.leave();
        std::thread{[&] {
            EXPECT_TRUE(lock.try_lock_shared());
            lock.unlock_shared();
            EXPECT_FALSE(lock.try_lock());
        }}.join();
        lock.unlock_shared();
        lock.lock();
        way.go_home();
        std::thread{[&] { EXPECT_FALSE(lock.try_lock_shared()); }}.join();
        lock.unlock();
    });
    pthread_rwlock_destroy(&noted);
}

TEST_F(lock_identity, condition_variables) {
    std::mutex lock;
    std::condition_variable changed;
    int turn = 0;
    at_each_place([&](journey &) {
        const int mine = turn;
        std::thread other{[&] {
            std::unique_lock hold{lock};
            changed.wait(hold, [&] { return turn == mine + 1; });
            ++turn;
            changed.notify_all();
        }};
        {
            std::unique_lock hold{lock};
            ++turn;
            changed.notify_all();
            changed.wait(hold, [&] { return turn == mine + 2; });
        }
        other.join();
    });
}

// stdio's locks know their owner too.
TEST_F(lock_identity, streams) {
    std::FILE *stream = std::tmpfile();
    ASSERT_NE(stream, nullptr);
    journey way;
    flockfile(stream);
    way.leave();
    EXPECT_EQ(ftrylockfile(stream), 0) << "it is ours already";
    funlockfile(stream);
    std::thread{[&] { EXPECT_NE(ftrylockfile(stream), 0); }}.join();
    way.go_home();
    funlockfile(stream);
    std::thread{[&] {
        EXPECT_EQ(ftrylockfile(stream), 0);
        funlockfile(stream);
    }}.join();
    std::fclose(stream);
}

} // namespace
} // namespace laio::test
