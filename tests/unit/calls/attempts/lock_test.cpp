// flock and the commands of fcntl that wait: a free lock is taken in place, a held one is waited for by a carrier, and
// nothing keeps an unlock.
#include "unit/calls/files.hpp"
#include "unit/calls/trial.hpp"

#include <sys/file.h>
#include <sys/wait.h>

namespace {

using namespace laio::test; // NOLINT(google-build-using-namespace)
using laio::blocked;
using laio::done;
using laio::surroundings;
using laio::until;

class locking : public testing::Test {
protected:
    surroundings world = make_world();
    const directory here;
    const descriptor mine = here.file("a", "content");
    const descriptor other{open(here.path("a").c_str(), O_RDWR | O_CLOEXEC)};

    static struct flock range(short type) {
        struct flock lock {};
        lock.l_type = type;
        lock.l_whence = SEEK_SET;
        lock.l_len = 3;
        return lock;
    }
};

TEST_F(locking, the_whole_file_takes_what_is_free_and_waits_for_the_rest) {
    EXPECT_EQ(attempt_of(world, SYS_flock, mine, LOCK_SH), done(0));
    EXPECT_EQ(attempt_of(world, SYS_flock, other, LOCK_SH), done(0));
    EXPECT_EQ(attempt_of(world, SYS_flock, mine, LOCK_EX), blocked(until::carrier));
    EXPECT_EQ(attempt_of(world, SYS_flock, mine, LOCK_EX | LOCK_NB), done(-EAGAIN));
    EXPECT_EQ(attempt_of(world, SYS_flock, other, LOCK_UN), done(0));
    EXPECT_EQ(attempt_of(world, SYS_flock, mine, LOCK_EX), done(0));
    EXPECT_EQ(plain(SYS_flock, other, LOCK_SH | LOCK_NB), -EAGAIN) << "the lock is real";
    EXPECT_EQ(attempt_of(world, SYS_flock, mine, LOCK_UN), done(0));
    EXPECT_EQ(plain(SYS_flock, other, LOCK_SH | LOCK_NB), 0);
}

TEST_F(locking, the_whole_file_in_a_wrong_way_is_like_the_plain_call) {
    const descriptor named{open(here.path("a").c_str(), O_PATH | O_CLOEXEC)};
    for (const int number : {-1, INT_MAX, static_cast<int>(named)})
        EXPECT_EQ(attempt_of(world, SYS_flock, number, LOCK_EX), done(plain(SYS_flock, number, LOCK_EX)));
    for (const int operation : {0, 3, 64, LOCK_SH | LOCK_EX, -1})
        EXPECT_EQ(attempt_of(world, SYS_flock, mine, operation), done(plain(SYS_flock, mine, operation))) << operation;
}

TEST_F(locking, a_range_takes_what_is_free_and_waits_for_the_rest) {
    struct flock lock = range(F_WRLCK);
    EXPECT_EQ(attempt_of(world, SYS_fcntl, mine, F_OFD_SETLKW, &lock), done(0));
    EXPECT_EQ(attempt_of(world, SYS_fcntl, other, F_OFD_SETLKW, &lock), blocked(until::carrier));
    EXPECT_EQ(attempt_of(world, SYS_fcntl, other, F_SETLKW, &lock), blocked(until::carrier)) << "the process's own";
    struct flock unlock = range(F_UNLCK);
    EXPECT_EQ(attempt_of(world, SYS_fcntl, mine, F_OFD_SETLKW, &unlock), done(0));
    EXPECT_EQ(attempt_of(world, SYS_fcntl, other, F_SETLKW, &lock), done(0));
    EXPECT_EQ(plain(SYS_fcntl, mine, F_OFD_SETLK, &lock), -EAGAIN) << "the lock is real";
}

TEST_F(locking, a_range_that_another_process_has_waits) {
    const ends ready = make_pipe();
    const ends over = make_pipe();
    const pid_t child = must(fork(), "fork");
    if (child == 0) {
        struct flock lock = range(F_WRLCK);
        char byte = fcntl(other, F_SETLK, &lock) == 0 ? 'y' : 'n';
        if (write(ready.in, &byte, 1) != 1 || read(over.out, &byte, 1) != 1) _exit(1);
        _exit(0);
    }
    ASSERT_EQ(get(ready.out, 1), "y");
    struct flock lock = range(F_RDLCK);
    EXPECT_EQ(attempt_of(world, SYS_fcntl, mine, F_SETLKW, &lock), blocked(until::carrier));
    put(over.in, "x");
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(attempt_of(world, SYS_fcntl, mine, F_SETLKW, &lock), done(0));
}

TEST_F(locking, a_range_in_a_wrong_way_is_like_the_plain_call) {
    const fence memory;
    struct flock odd = range(77);
    const ends pipe = make_pipe();
    struct flock lock = range(F_WRLCK);
    for (const int command : {F_SETLKW, F_OFD_SETLKW}) {
        EXPECT_EQ(attempt_of(world, SYS_fcntl, mine, command, memory.beyond()), done(-EFAULT));
        EXPECT_EQ(attempt_of(world, SYS_fcntl, mine, command, nullptr), done(-EFAULT));
        EXPECT_EQ(attempt_of(world, SYS_fcntl, mine, command, &odd), done(plain(SYS_fcntl, mine, command, &odd)));
        EXPECT_EQ(attempt_of(world, SYS_fcntl, -1, command, &lock), done(-EBADF));
        EXPECT_EQ(attempt_of(world, SYS_fcntl, pipe.out, command, &lock),
                  done(plain(SYS_fcntl, pipe.out, command, &lock)));
    }
}

// Those that wait must not keep out the call that ends their waiting.
TEST_F(locking, is_attempted_even_where_attempts_are_forbidden) {
    world = make_world(LAIO_FORBID_ATTEMPTS);
    struct flock lock = range(F_UNLCK);
    EXPECT_EQ(attempt_of(world, SYS_flock, mine, LOCK_UN), done(0));
    EXPECT_EQ(attempt_of(world, SYS_fcntl, mine, F_SETLKW, &lock), done(0));
}

} // namespace
