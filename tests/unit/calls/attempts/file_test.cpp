// fstat and close: in place where nobody has to be waited for, and only there.
#include "unit/calls/files.hpp"
#include "unit/calls/trial.hpp"

#include <cstring>
#include <sys/epoll.h>
#include <sys/stat.h>

namespace {

using namespace laio::test; // NOLINT(google-build-using-namespace)
using laio::blocked;
using laio::done;
using laio::file_kind;
using laio::surroundings;
using laio::until;

bool is_open(int number) { return fcntl(number, F_GETFD) >= 0; }

class a_file : public testing::Test {
protected:
    surroundings world = make_world();
    const directory here;
    const descriptor writable = here.file("a", "content");

    [[nodiscard]] bool is_local() {
        laio::file_identity file{};
        return laio::identify(writable, file) == 0 && world.is_local(file);
    }
    [[nodiscard]] descriptor read_only(const char *name = "a") const {
        return descriptor{must(open(here.path(name).c_str(), O_RDONLY | O_CLOEXEC), "open")};
    }
    // Done in place: the number is free and the loop believes nothing of it any more.
    void expect_closed_at_once(descriptor file) {
        const int number = file.release();
        world.hints.note(number, file_kind::pipe);
        EXPECT_EQ(attempt_of(world, SYS_close, number), done(0));
        EXPECT_FALSE(is_open(number));
        EXPECT_EQ(world.hints.kind(number), file_kind::unknown);
    }
    void expect_left_to_a_carrier(const descriptor &file) {
        EXPECT_EQ(attempt_of(world, SYS_close, file), blocked(until::carrier));
        EXPECT_TRUE(is_open(file));
    }
};

TEST_F(a_file, that_holds_nothing_back_is_closed_at_once) {
    ends pipe = make_pipe();
    expect_closed_at_once(std::move(pipe.out));
    expect_closed_at_once(std::move(pipe.in));
    ends sockets = make_tcp();
    put(sockets.in, "hello");
    expect_closed_at_once(std::move(sockets.in));
    EXPECT_EQ(get(sockets.out, 100), "hello");
    expect_closed_at_once(descriptor{eventfd(0, EFD_CLOEXEC)});
    expect_closed_at_once(descriptor{epoll_create1(EPOLL_CLOEXEC)});
    expect_closed_at_once(descriptor{open(here.path("a").c_str(), O_PATH | O_CLOEXEC)});
}

TEST_F(a_file, that_was_only_read_is_closed_at_once) {
    if (!is_local()) GTEST_SKIP() << here.path() << " is not on a local file system";
    expect_closed_at_once(read_only());
    expect_closed_at_once(descriptor{open(here.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)});
}

TEST_F(a_file, that_may_have_to_be_waited_for_is_left_to_a_carrier) {
    expect_left_to_a_carrier(writable);
    const ends lingering = make_tcp();
    const linger option{1, 60};
    must(setsockopt(lingering.in, SOL_SOCKET, SO_LINGER, &option, sizeof option), "setsockopt");
    expect_left_to_a_carrier(lingering.in);
    const ends terminal = make_terminal();
    expect_left_to_a_carrier(terminal.out);
    const descriptor deleted = read_only();
    must(unlink(here.path("a").c_str()), "unlink");
    expect_left_to_a_carrier(deleted); // its space is freed by the last close
    expect_left_to_a_carrier(make_memory_file("content"));
}

TEST_F(a_file, that_is_not_open_cannot_be_closed) {
    for (const int number : {-1, INT_MAX, INT_MIN}) EXPECT_EQ(attempt_of(world, SYS_close, number), done(-EBADF));
    descriptor gone = read_only();
    const int number = gone.release();
    close(number);
    EXPECT_EQ(attempt_of(world, SYS_close, number), done(-EBADF));
}

TEST_F(a_file, in_memory_or_on_a_disk_is_described_at_once) {
    const ends pipe = make_pipe();
    const ends sockets = make_sockets();
    const descriptor counter{eventfd(0, EFD_CLOEXEC)};
    std::vector<int> numbers = {pipe.out, sockets.out, counter};
    if (is_local()) numbers.push_back(writable);
    for (const int number : numbers) {
        struct stat expected {};
        struct stat found {};
        ASSERT_EQ(plain(SYS_fstat, number, &expected), 0);
        EXPECT_EQ(attempt_of(world, SYS_fstat, number, &found), done(0));
        EXPECT_EQ(memcmp(&found, &expected, sizeof found), 0);
    }
}

TEST_F(a_file, of_an_unknown_file_system_is_described_by_a_carrier) {
    struct stat found {};
    EXPECT_EQ(attempt_of(world, SYS_fstat, make_memory_file("content"), &found), blocked(until::carrier));
    EXPECT_EQ(trial(world, SYS_fstat, make_memory_file("content"), &found).finish(), 0);
    EXPECT_EQ(found.st_size, 7);
}

TEST_F(a_file, that_is_not_there_or_nowhere_to_describe_fails_at_once) {
    struct stat found {};
    const fence memory;
    const ends pipe = make_pipe();
    for (const int number : {-1, INT_MAX}) EXPECT_EQ(attempt_of(world, SYS_fstat, number, &found), done(-EBADF));
    EXPECT_EQ(attempt_of(world, SYS_fstat, pipe.out, memory.beyond()), done(-EFAULT));
    EXPECT_EQ(attempt_of(world, SYS_fstat, pipe.out, nullptr), done(-EFAULT));
}

} // namespace
