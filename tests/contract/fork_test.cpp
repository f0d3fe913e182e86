// fork(2): the child starts with nothing outstanding, handles of the parent mean nothing there, and whatever it does or
// leaves undone, the parent's calls complete as if there had been no child (laio(7), "Processes").
#include "harness.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace laio::test {
namespace {

class forking : public contract_test {
protected:
    // A parent with a read, a sleep and a write that wait, and a file that is read.
    void SetUp() override {
        contract_test::SetUp();
        if (IsSkipped()) return;
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
        // A lock of the address sanitizer's may be held by a carrier that starts while we fork: the child's threads hang.
        if (!set().has_readiness())
            GTEST_SKIP()
                << "the sanitizers do not follow threads of a threaded process's child; here all calls need one";
#endif
        ends_ = make_pipe();
        full_ = make_pipe();
        fill(full_.writer.get());
        reading_ = begin(SYS_read, ends_.reader.get(), &byte_, 1);
        writing_ = begin(SYS_write, full_.writer.get(), "w", 1);
        sleeping_ = begin(SYS_nanosleep, &brief_, nullptr);
    }
    void TearDown() override {
        EXPECT_EQ(laio_fini(), 0);
        ends_ = {};
        full_ = {};
        contract_test::TearDown();
    }

    // What waited before the fork completes after it, with its bytes.
    void expect_parent_is_well() {
        EXPECT_EQ(laio_outstanding(), 3);
        write_all(ends_.writer.get(), "p");
        read_all(full_.reader.get(), 65536);
        EXPECT_EQ(finish(reading_), (outcome{1, 0}));
        EXPECT_EQ(byte_, 'p');
        EXPECT_EQ(finish(writing_), (outcome{1, 0}));
        EXPECT_EQ(read_all(full_.reader.get(), 1), "w");
        EXPECT_EQ(finish(sleeping_), (outcome{0, 0}));
        char again = 0;
        call_record *call = begin(SYS_read, ends_.reader.get(), &again, 1);
        write_all(ends_.writer.get(), "q");
        EXPECT_EQ(finish(call), (outcome{1, 0}));
        EXPECT_EQ(laio_outstanding(), 0);
    }

    pipe_ends ends_;
    pipe_ends full_;
    char byte_ = 0;
    timespec brief_{0, 30000000};
    call_record *reading_ = nullptr;
    call_record *writing_ = nullptr;
    call_record *sleeping_ = nullptr;
};

TEST_P(forking, child_starts_with_nothing) {
    expect_in_child([&] {
        EXPECT_EQ(laio_outstanding(), 0);
        EXPECT_EQ(laio_gethandle(), nullptr);
        EXPECT_EQ(laio_cancel(reading_->handle), -1);
        EXPECT_EQ(errno, EINVAL);
        EXPECT_EQ(laio_setdata(reading_->handle, nullptr), -1);
        EXPECT_EQ(errno, EINVAL);
        laio_completion completion{};
        EXPECT_EQ(laio_poll(&completion, 1, nullptr), -1);
        EXPECT_EQ(errno, EDEADLK);
        EXPECT_EQ(laio_fini(), 0);
    });
    expect_parent_is_well();
}

TEST_P(forking, child_that_does_nothing) {
    expect_in_child([] {});
    expect_parent_is_well();
}

TEST_P(forking, child_has_a_loop_of_its_own) {
    expect_in_child([&] {
        start_loop();
        const pipe_ends own = make_pipe();
        char byte = 0;
        call_record *call = begin(SYS_read, own.reader.get(), &byte, 1);
        EXPECT_EQ(laio_outstanding(), 1);
        write_all(own.writer.get(), "c");
        EXPECT_EQ(finish(call), (outcome{1, 0}));
        EXPECT_EQ(byte, 'c');
        const timespec brief{0, 1000000};
        EXPECT_EQ(done(SYS_nanosleep, &brief, nullptr), (outcome{0, 0}));
        EXPECT_EQ(laio_fini(), 0);
    });
    expect_parent_is_well();
}

// The first call makes the child's loop, without laio_init().
TEST_P(forking, child_makes_calls_at_once) {
    expect_in_child([&] {
        EXPECT_EQ(laio_syscall(SYS_getpid), getpid());
        const timespec brief{0, 1000000};
        EXPECT_EQ(done(SYS_nanosleep, &brief, nullptr), (outcome{0, 0}));
        const pipe_ends own = make_pipe();
        char byte = 0;
        begin(SYS_read, own.reader.get(), &byte, 1); // left in the air
    });
    expect_parent_is_well();
}

// The child waits on the same descriptor, and closes it: the registrations are the parent's.
TEST_P(forking, child_waits_on_the_parents_descriptor) {
    expect_in_child([&] {
        start_loop();
        char byte = 0;
        call_record *call = begin(SYS_read, ends_.reader.get(), &byte, 1);
        EXPECT_EQ(laio_cancel(call->handle), 0);
        EXPECT_EQ(finish(call), (outcome{-1, ECANCELED}));
        EXPECT_EQ(done(SYS_close, ends_.reader.release()), (outcome{0, 0}));
        EXPECT_EQ(laio_fini(), 0);
    });
    expect_parent_is_well();
}

// laio_fini() first thing in the child, then its own number for everything: nothing of the parent is touched.
TEST_P(forking, child_closes_everything) {
    expect_in_child([&] {
        EXPECT_EQ(laio_fini(), 0);
        for (int fd = 3; fd < 256; ++fd) close(fd);
        ends_.reader.release();
        ends_.writer.release();
        full_.reader.release();
        full_.writer.release();
        start_loop();
        const timespec brief{0, 1000000};
        EXPECT_EQ(done(SYS_nanosleep, &brief, nullptr), (outcome{0, 0}));
    });
    expect_parent_is_well();
}

TEST_P(forking, child_closes_the_parents_laio_fd) {
    const int number = laio_fd();
    ASSERT_GE(number, 0);
    expect_in_child([&] { close(number); });
    expect_parent_is_well();
    EXPECT_EQ(laio_fd(), number);
}

// A child of a child, and a thread in it.
TEST_P(forking, grandchild) {
    expect_in_child([&] {
        start_loop();
        const pipe_ends own = make_pipe();
        char byte = 0;
        call_record *call = begin(SYS_read, own.reader.get(), &byte, 1);
        expect_in_child([&] {
            EXPECT_EQ(laio_outstanding(), 0);
            std::thread other{[] {
                start_loop();
                const timespec brief{0, 1000000};
                EXPECT_EQ(done(SYS_nanosleep, &brief, nullptr), (outcome{0, 0}));
                EXPECT_EQ(laio_fini(), 0);
            }};
            other.join();
        });
        write_all(own.writer.get(), "x");
        EXPECT_EQ(finish(call), (outcome{1, 0}));
    });
    expect_parent_is_well();
}

// fork() made through the library.
TEST_P(forking, through_the_library) {
    const long pid = done(SYS_fork).value;
    ASSERT_GE(pid, 0);
    if (pid == 0) {
        const bool is_well = laio_outstanding() == 0 && laio_cancel(reading_->handle) == -1 && errno == EINVAL &&
                             laio_syscall(SYS_getpid) == syscall(SYS_getpid);
        _exit(is_well ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(static_cast<pid_t>(pid), &status, 0), pid);
    EXPECT_EQ(status, 0);
    expect_parent_is_well();
}

// A thread of the parent that has no loop forks; a thread with one goes on.
TEST_P(forking, by_another_thread) {
    std::thread other{[] {
        expect_in_child([] {
            EXPECT_EQ(laio_outstanding(), 0);
            start_loop();
            EXPECT_EQ(done(SYS_getpid).value, getpid());
        });
    }};
    other.join();
    expect_parent_is_well();
}

LAIO_CONTRACT_SUITE(forking);

} // namespace
} // namespace laio::test
