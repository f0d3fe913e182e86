// wait4 and waitid: a child that has ended is collected in place; the end of one child is waited for on a descriptor.
#include "unit/calls/files.hpp"
#include "unit/calls/trial.hpp"

#include <sys/resource.h>
#include <sys/wait.h>

namespace {

using namespace laio::test; // NOLINT(google-build-using-namespace)
using laio::blocked;
using laio::done;
using laio::surroundings;
using laio::until;

// A child that ends with `code` when it is told to.
class child {
public:
    explicit child(int code) {
        number_ = must(fork(), "fork");
        if (number_ != 0) return;
        char byte = 0;
        order_.in.reset();
        const ssize_t r = read(order_.out, &byte, 1);
        _exit(r == 0 ? code : 99);
    }
    ~child() {
        end();
        waitpid(number_, nullptr, 0); // if nobody has
    }
    child(const child &) = delete;
    child &operator=(const child &) = delete;

    [[nodiscard]] pid_t number() const { return number_; }
    void end() { order_.in.reset(); }
    // And waits until it has, without collecting it.
    void end_and_wait() {
        end();
        siginfo_t found{};
        must(waitid(P_PID, static_cast<id_t>(number_), &found, WEXITED | WNOWAIT), "waitid");
    }

private:
    ends order_ = make_pipe();
    pid_t number_ = 0;
};

class waiting : public testing::Test {
protected:
    surroundings world = make_world();
    int status = -1;
    siginfo_t found{};
};

TEST_F(waiting, for_a_child_that_has_ended_is_done_in_place) {
    child one{7};
    one.end_and_wait();
    rusage usage{};
    EXPECT_EQ(attempt_of(world, SYS_wait4, one.number(), &status, 0, &usage), done(one.number()));
    EXPECT_EQ(WEXITSTATUS(status), 7);
    EXPECT_EQ(attempt_of(world, SYS_wait4, one.number(), &status, 0, nullptr), done(-ECHILD)) << "collected";
    child other{8};
    other.end_and_wait();
    EXPECT_EQ(attempt_of(world, SYS_waitid, P_PID, other.number(), &found, WEXITED, nullptr), done(0));
    EXPECT_EQ(found.si_pid, other.number());
    EXPECT_EQ(found.si_status, 8);
}

TEST_F(waiting, for_a_child_that_runs_waits_for_its_descriptor) {
    if (!world.has.pidfd) GTEST_SKIP() << "this kernel has no pidfd_open";
    child one{7};
    trial tried{world, SYS_wait4, one.number(), &status, 0, nullptr};
    EXPECT_EQ(tried.attempt(), blocked(until::readable));
    EXPECT_EQ(tried.attempt(), blocked(until::readable)) << "still running";
    one.end();
    EXPECT_EQ(tried.go_on(), one.number());
    EXPECT_EQ(WEXITSTATUS(status), 7);

    child other{8};
    trial by_id{world, SYS_waitid, P_PID, other.number(), &found, WEXITED, nullptr};
    EXPECT_EQ(by_id.attempt(), blocked(until::readable));
    other.end();
    EXPECT_EQ(by_id.go_on(), 0);
    EXPECT_EQ(found.si_pid, other.number());
    EXPECT_EQ(found.si_status, 8);
}

TEST_F(waiting, by_a_descriptor_waits_for_that_one) {
    if (!world.has.pidfd) GTEST_SKIP() << "this kernel has no pidfd_open";
    child one{7};
    const descriptor handle{static_cast<int>(must(syscall(SYS_pidfd_open, one.number(), 0), "pidfd_open"))};
    trial tried{world, SYS_waitid, 3 /* P_PIDFD */, static_cast<int>(handle), &found, WEXITED, nullptr};
    EXPECT_EQ(tried.attempt(), blocked(until::readable));
    EXPECT_EQ(tried.op().descriptor, handle);
    one.end();
    EXPECT_EQ(tried.go_on(), 0);
    EXPECT_EQ(found.si_status, 7);
}

TEST_F(waiting, without_a_place_for_the_answer_collects_all_the_same) {
    child one{7};
    one.end_and_wait();
    EXPECT_EQ(attempt_of(world, SYS_waitid, P_PID, one.number(), nullptr, WEXITED, nullptr), done(0));
    EXPECT_EQ(attempt_of(world, SYS_wait4, one.number(), nullptr, 0, nullptr), done(-ECHILD));
    child other{8};
    EXPECT_NE(attempt_of(world, SYS_waitid, P_PID, other.number(), nullptr, WEXITED, nullptr).waits_for,
              until::nothing);
}

TEST_F(waiting, to_look_only_leaves_the_child) {
    child one{7};
    one.end_and_wait();
    EXPECT_EQ(attempt_of(world, SYS_waitid, P_PID, one.number(), &found, WEXITED | WNOWAIT, nullptr), done(0));
    EXPECT_EQ(attempt_of(world, SYS_wait4, one.number(), &status, 0, nullptr), done(one.number()));
}

TEST_F(waiting, for_any_child_or_for_stops_is_a_carrier_s) {
    child one{7};
    EXPECT_EQ(attempt_of(world, SYS_wait4, -1, &status, 0, nullptr), blocked(until::carrier));
    EXPECT_EQ(attempt_of(world, SYS_wait4, 0, &status, 0, nullptr), blocked(until::carrier));
    EXPECT_EQ(attempt_of(world, SYS_waitid, P_ALL, 0, &found, WEXITED, nullptr), blocked(until::carrier));
    EXPECT_EQ(attempt_of(world, SYS_wait4, one.number(), &status, WUNTRACED, nullptr), blocked(until::carrier));
    EXPECT_EQ(attempt_of(world, SYS_waitid, P_PID, one.number(), &found, WEXITED | WSTOPPED, nullptr),
              blocked(until::carrier));
    trial tried{world, SYS_wait4, -1, &status, 0, nullptr};
    EXPECT_EQ(tried.attempt(), blocked(until::carrier));
    one.end();
    EXPECT_EQ(tried.go_on(), one.number());
}

TEST_F(waiting, without_pidfd_is_a_carrier_s) {
    world.has.pidfd = false;
    child one{7};
    trial tried{world, SYS_wait4, one.number(), &status, 0, nullptr};
    EXPECT_EQ(tried.attempt(), blocked(until::carrier));
    one.end();
    EXPECT_EQ(tried.go_on(), one.number());
}

TEST_F(waiting, does_not_wait_where_it_is_asked_not_to) {
    child one{7};
    EXPECT_EQ(attempt_of(world, SYS_wait4, one.number(), &status, WNOHANG, nullptr), done(0));
    EXPECT_EQ(attempt_of(world, SYS_waitid, P_PID, one.number(), &found, WEXITED | WNOHANG, nullptr), done(0));
    EXPECT_EQ(found.si_pid, 0);
}

TEST_F(waiting, for_nobody_or_in_a_wrong_way_is_like_the_plain_call) {
    EXPECT_EQ(attempt_of(world, SYS_wait4, -1, &status, 0, nullptr), done(-ECHILD));
    EXPECT_EQ(attempt_of(world, SYS_wait4, 1, &status, 0, nullptr), done(-ECHILD)) << "not ours";
    EXPECT_EQ(attempt_of(world, SYS_wait4, INT_MIN, &status, 0, nullptr),
              done(plain(SYS_wait4, INT_MIN, &status, 0, nullptr)));
    EXPECT_EQ(attempt_of(world, SYS_waitid, P_ALL, 0, &found, WEXITED, nullptr), done(-ECHILD));
    child one{7};
    EXPECT_EQ(attempt_of(world, SYS_wait4, one.number(), &status, 0x10, nullptr), done(-EINVAL));
    EXPECT_EQ(attempt_of(world, SYS_waitid, P_PID, one.number(), &found, 0, nullptr), done(-EINVAL));
    EXPECT_EQ(attempt_of(world, SYS_waitid, 77, one.number(), &found, WEXITED, nullptr), done(-EINVAL));
    EXPECT_EQ(attempt_of(world, SYS_waitid, P_PID, -1, &found, WEXITED, nullptr), done(-EINVAL));
    EXPECT_EQ(attempt_of(world, SYS_waitid, 3 /* P_PIDFD */, INT_MAX, &found, WEXITED, nullptr), done(-EBADF));
    one.end_and_wait();
    const fence memory;
    EXPECT_EQ(attempt_of(world, SYS_wait4, one.number(), memory.beyond(), 0, nullptr), done(-EFAULT));
}

} // namespace
