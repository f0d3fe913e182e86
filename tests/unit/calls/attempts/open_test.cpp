// open, openat, openat2, creat: in place for what is known and plain, and the descriptor is the one that the plain call
// would have made.
#include "unit/calls/files.hpp"
#include "unit/calls/trial.hpp"

#include <csignal>
#include <cstring>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <vector>

namespace {

using namespace laio::test; // NOLINT(google-build-using-namespace)
using laio::blocked;
using laio::done;
using laio::outcome;
using laio::surroundings;
using laio::until;

class opening : public testing::Test {
protected:
    surroundings world = make_world();
    const directory here;
    const descriptor original = here.file("a", "content");
    const std::string path = here.path("a");
    const descriptor folder{open(here.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};

    void SetUp() override {
        laio::file_identity file{};
        ASSERT_EQ(laio::identify(original, file), 0);
        if (!world.has.cached) GTEST_SKIP() << "this kernel has no openat2 with RESOLVE_CACHED";
        if (!world.is_local(file)) GTEST_SKIP() << here.path() << " is not on a local file system";
        struct stat status {};
        ASSERT_EQ(stat(path.c_str(), &status), 0); // now the name is known
    }

    // A descriptor, or nothing.
    static descriptor opened(const outcome &next) {
        EXPECT_EQ(next.waits_for, until::nothing);
        EXPECT_GE(next.result, 0);
        return descriptor{next.waits_for == until::nothing ? static_cast<int>(next.result) : -1};
    }
};

TEST_F(opening, what_is_known_is_done_in_place) {
    EXPECT_EQ(get(opened(attempt_of(world, SYS_openat, AT_FDCWD, path.c_str(), O_RDONLY | O_CLOEXEC, 0)), 7),
              "content");
    EXPECT_EQ(get(opened(attempt_of(world, SYS_openat, folder, "a", O_RDONLY | O_CLOEXEC, 0)), 7), "content");
    open_how how{};
    how.flags = O_RDONLY | O_CLOEXEC;
    EXPECT_EQ(get(opened(attempt_of(world, SYS_openat2, folder, "a", &how, sizeof how)), 7), "content");
#ifdef SYS_open
    EXPECT_EQ(get(opened(attempt_of(world, SYS_open, path.c_str(), O_RDONLY | O_CLOEXEC, 0)), 7), "content");
#endif
    const descriptor again = opened(attempt_of(world, SYS_openat, folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0));
    struct stat status {};
    EXPECT_EQ(fstat(again, &status), 0);
    EXPECT_TRUE(S_ISDIR(status.st_mode));
}

// What fcntl(2) tells of it, whichever flags it was opened with.
TEST_F(opening, makes_the_descriptor_that_the_plain_call_makes) {
    for (const int access : {O_RDONLY, O_WRONLY, O_RDWR}) {
        for (const int flags : {0, O_CLOEXEC, O_APPEND, O_NONBLOCK, O_NONBLOCK | O_APPEND, O_SYNC, O_DSYNC, O_NOATIME,
                                O_NOCTTY, O_NOFOLLOW, O_ASYNC, O_LARGEFILE, 0x40000000}) {
            SCOPED_TRACE(access | flags);
            const long expected = plain(SYS_openat, folder, "a", access | flags, 0);
            ASSERT_GE(expected, 0);
            const descriptor twin{static_cast<int>(expected)};
            const descriptor made = opened(attempt_of(world, SYS_openat, folder, "a", access | flags, 0));
            EXPECT_EQ(fcntl(made, F_GETFL), fcntl(twin, F_GETFL));
            EXPECT_EQ(fcntl(made, F_GETFD), fcntl(twin, F_GETFD));
        }
    }
    const descriptor named = opened(attempt_of(world, SYS_openat, folder, "a", O_PATH | O_CLOEXEC, 0));
    EXPECT_EQ(fcntl(named, F_GETFL) & O_PATH, O_PATH);
}

TEST_F(opening, what_is_made_or_cut_goes_to_a_carrier_untouched) {
    EXPECT_EQ(attempt_of(world, SYS_openat, folder, "a", O_WRONLY | O_TRUNC, 0), blocked(until::carrier));
    EXPECT_EQ(attempt_of(world, SYS_openat, folder, "a", O_WRONLY | O_CREAT, 0600), blocked(until::carrier));
    EXPECT_EQ(attempt_of(world, SYS_openat, folder, "b", O_WRONLY | O_CREAT, 0600), blocked(until::carrier));
    EXPECT_EQ(attempt_of(world, SYS_openat, folder, ".", O_WRONLY | O_TMPFILE, 0600), blocked(until::carrier));
    open_how how{};
    how.flags = O_WRONLY | O_CREAT;
    how.mode = 0600;
    EXPECT_EQ(attempt_of(world, SYS_openat2, folder, "b", &how, sizeof how), blocked(until::carrier));
#ifdef SYS_creat
    EXPECT_EQ(attempt_of(world, SYS_creat, path.c_str(), 0600), blocked(until::carrier));
#endif
    EXPECT_EQ(get(original, 7), "content");
    EXPECT_NE(access(here.path("b").c_str(), F_OK), 0);
}

TEST_F(opening, what_may_wait_for_somebody_goes_to_a_carrier) {
    must(mkfifo(here.path("fifo").c_str(), 0600), "mkfifo");
    struct stat status {};
    ASSERT_EQ(stat(here.path("fifo").c_str(), &status), 0);
    EXPECT_EQ(attempt_of(world, SYS_openat, folder, "fifo", O_RDONLY, 0), blocked(until::carrier));
    EXPECT_EQ(attempt_of(world, SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY, 0).waits_for, until::carrier)
        << "a device";
}

TEST_F(opening, what_the_kernel_may_have_to_ask_a_server_for_goes_to_a_carrier) {
    struct stat status {};
    if (stat("/proc/self/status", &status) != 0) GTEST_SKIP() << "no /proc"; // it stands for FUSE and the network
    EXPECT_EQ(attempt_of(world, SYS_openat, AT_FDCWD, "/proc/self/status", O_RDONLY, 0), blocked(until::carrier));
}

TEST_F(opening, what_is_leased_goes_to_a_carrier) {
    std::signal(SIGIO, SIG_IGN);
    const descriptor reader{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    const_cast<descriptor &>(original).reset(); // who writes already stands in the way of a lease
    if (fcntl(reader, F_SETLEASE, F_RDLCK) != 0) GTEST_SKIP() << "no lease to be had: " << std::strerror(errno);
    EXPECT_EQ(attempt_of(world, SYS_openat, folder, "a", O_WRONLY | O_CLOEXEC, 0), blocked(until::carrier));
    opened(attempt_of(world, SYS_openat, folder, "a", O_RDONLY | O_CLOEXEC, 0)); // the lease does not mind
    must(fcntl(reader, F_SETLEASE, F_UNLCK), "F_SETLEASE");
    opened(attempt_of(world, SYS_openat, folder, "a", O_WRONLY | O_CLOEXEC, 0));
    std::signal(SIGIO, SIG_DFL);
}

TEST_F(opening, what_cannot_be_opened_is_like_the_plain_call) {
    must(symlink("a", here.path("link").c_str()), "symlink");
    const fence memory;
    const std::string long_name(300, 'n');
    struct try_out {
        const char *what;
        const char *name;
        int flags;
    };
    const try_out ways[] = {
        {"missing", "b", O_RDONLY},
        {"below a file", "a/b", O_RDONLY},
        {"a file as a directory", "a", O_RDONLY | O_DIRECTORY},
        {"a directory for writing", ".", O_WRONLY},
        {"a link itself", "link", O_RDONLY | O_NOFOLLOW},
        {"an empty name", "", O_RDONLY},
        {"a long name", long_name.c_str(), O_RDONLY},
        {"no memory", memory.beyond(), O_RDONLY},
        {"null", nullptr, O_RDONLY},
        {"not ended", memory.last(1), O_RDONLY},
    };
    memset(memory.last(1), 'x', 1);
    for (const try_out &one : ways) {
        SCOPED_TRACE(one.what);
        const long expected = plain(SYS_openat, folder, one.name, one.flags, 0);
        ASSERT_LT(expected, 0);
        EXPECT_EQ(trial(world, SYS_openat, folder, one.name, one.flags, 0).finish(), expected);
    }
    EXPECT_EQ(trial(world, SYS_openat, -1, "a", O_RDONLY, 0).finish(), -EBADF);
    EXPECT_EQ(trial(world, SYS_openat, original, "a", O_RDONLY, 0).finish(), -ENOTDIR);
    const descriptor through_link = opened(attempt_of(world, SYS_openat, folder, "link", O_RDONLY | O_CLOEXEC, 0));
    EXPECT_EQ(get(through_link, 7), "content");
}

TEST_F(opening, with_odd_ways_to_resolve_is_like_the_plain_call) {
    const fence memory;
    open_how how{};
    how.flags = O_RDONLY | O_CLOEXEC;
    EXPECT_EQ(trial(world, SYS_openat2, folder, "a", memory.beyond(), sizeof how).finish(), -EFAULT);
    EXPECT_EQ(trial(world, SYS_openat2, folder, "a", &how, 1).finish(), plain(SYS_openat2, folder, "a", &how, 1));
    how.resolve = RESOLVE_BENEATH;
    EXPECT_EQ(get(opened(attempt_of(world, SYS_openat2, folder, "a", &how, sizeof how)), 7), "content");
    EXPECT_EQ(trial(world, SYS_openat2, folder, "../a", &how, sizeof how).finish(), -EXDEV) << "no way out";
    how.resolve = std::uint64_t{1} << 40U;
    EXPECT_EQ(trial(world, SYS_openat2, folder, "a", &how, sizeof how).finish(), -EINVAL);
    how.resolve = 0;
    how.flags = std::uint64_t{1} << 40U;
    EXPECT_EQ(trial(world, SYS_openat2, folder, "a", &how, sizeof how).finish(), -EINVAL);
    how.flags = O_RDONLY;
    how.mode = 0600;
    EXPECT_EQ(trial(world, SYS_openat2, folder, "a", &how, sizeof how).finish(), -EINVAL);
}

TEST_F(opening, leaves_no_descriptor_behind) {
    const descriptor before{dup(0)};
    const int next_free = before;
    for (const char *name : {"a", "b", "fifo"}) {
        const outcome next = attempt_of(world, SYS_openat, folder, name, O_RDONLY, 0);
        if (next.waits_for == until::nothing && next.result >= 0) close(static_cast<int>(next.result));
    }
    const descriptor after{dup(0)};
    EXPECT_EQ(after, next_free + 1);
}

TEST_F(opening, without_the_means_goes_to_a_carrier) {
    world.has.cached = false;
    EXPECT_EQ(attempt_of(world, SYS_openat, folder, "a", O_RDONLY, 0), blocked(until::carrier));
}

} // namespace
