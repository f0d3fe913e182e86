// Message queues, semaphores, futexes, random numbers, pipes to pipes.
#include "unit/calls/files.hpp"
#include "unit/calls/trial.hpp"

#include <cstring>
#include <linux/futex.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/random.h>
#include <sys/sem.h>
#include <sys/uio.h>

namespace {

using namespace laio::test; // NOLINT(google-build-using-namespace)
using laio::blocked;
using laio::done;
using laio::outcome;
using laio::surroundings;
using laio::until;

// ---- System V -------------------------------------------------------------------------------------------------------------

struct letter {
    long type;
    char text[32];
};

class letters : public testing::Test {
protected:
    surroundings world = make_world();
    int queue = -1;

    void SetUp() override {
        queue = msgget(IPC_PRIVATE, 0600);
        if (queue < 0) GTEST_SKIP() << "no message queues: " << std::strerror(errno);
    }
    void TearDown() override {
        if (queue >= 0) msgctl(queue, IPC_RMID, nullptr);
    }
    void fill_up() const {
        const letter full{9, "full"};
        while (msgsnd(queue, &full, sizeof full.text, IPC_NOWAIT) == 0) {}
    }
};

TEST_F(letters, come_and_go_in_place) {
    letter sent{3, "hello"};
    letter got{};
    EXPECT_EQ(attempt_of(world, SYS_msgsnd, queue, &sent, 6, 0), done(0));
    EXPECT_EQ(attempt_of(world, SYS_msgrcv, queue, &got, sizeof got.text, 3, 0), done(6));
    EXPECT_STREQ(got.text, "hello");
}

TEST_F(letters, that_are_not_there_are_a_carrier_s) {
    letter one{3, "hello"};
    letter got{};
    trial tried{world, SYS_msgrcv, queue, &got, sizeof got.text, 3, 0};
    EXPECT_EQ(tried.attempt(), blocked(until::carrier));
    EXPECT_EQ(attempt_of(world, SYS_msgrcv, queue, &got, sizeof got.text, 3, IPC_NOWAIT), done(-ENOMSG));
    must(msgsnd(queue, &one, 6, 0), "msgsnd");
    EXPECT_EQ(tried.go_on(), 6);
    fill_up();
    EXPECT_EQ(attempt_of(world, SYS_msgsnd, queue, &one, sizeof one.text, 0), blocked(until::carrier));
    EXPECT_EQ(attempt_of(world, SYS_msgsnd, queue, &one, sizeof one.text, IPC_NOWAIT), done(-EAGAIN));
}

TEST_F(letters, that_are_wrong_are_like_the_plain_call) {
    const fence memory;
    letter one{0, "no type"};
    letter fine{1, "fine"};
    EXPECT_EQ(attempt_of(world, SYS_msgsnd, queue, &one, 8, 0), done(-EINVAL));
    EXPECT_EQ(attempt_of(world, SYS_msgsnd, queue, memory.beyond(), 8, 0), done(-EFAULT));
    EXPECT_EQ(attempt_of(world, SYS_msgsnd, -1, &fine, 8, 0), done(-EINVAL));
    EXPECT_EQ(attempt_of(world, SYS_msgrcv, -1, &fine, 8, 0, 0), done(-EINVAL));
    must(msgsnd(queue, &fine, 5, 0), "msgsnd");
    EXPECT_EQ(attempt_of(world, SYS_msgrcv, queue, &fine, 1, 0, 0), done(-E2BIG));
}

class semaphores : public testing::Test {
protected:
    surroundings world = make_world();
    int set = -1;
    sembuf up{0, 1, 0};
    sembuf down{0, -1, 0};
    sembuf try_down{0, -1, IPC_NOWAIT};

    void SetUp() override {
        set = semget(IPC_PRIVATE, 1, 0600);
        if (set < 0) GTEST_SKIP() << "no semaphores: " << std::strerror(errno);
    }
    void TearDown() override {
        if (set >= 0) semctl(set, 0, IPC_RMID);
    }
};

TEST_F(semaphores, are_taken_in_place_or_by_a_carrier) {
    const timespec hour{3600, 0};
    EXPECT_EQ(attempt_of(world, SYS_semop, set, &up, 1), done(0));
    EXPECT_EQ(attempt_of(world, SYS_semop, set, &down, 1), done(0));
    trial tried{world, SYS_semop, set, &down, 1};
    EXPECT_EQ(tried.attempt(), blocked(until::carrier));
    EXPECT_EQ(attempt_of(world, SYS_semtimedop, set, &down, 1, &hour), blocked(until::carrier));
    must(semop(set, &up, 1), "semop");
    EXPECT_EQ(tried.go_on(), 0);
    EXPECT_EQ(semctl(set, 0, GETVAL), 0);
}

TEST_F(semaphores, are_not_waited_for_where_that_was_said) {
    const timespec none{};
    EXPECT_EQ(attempt_of(world, SYS_semop, set, &try_down, 1), done(-EAGAIN));
    EXPECT_EQ(attempt_of(world, SYS_semtimedop, set, &down, 1, &none), done(-EAGAIN));
}

TEST_F(semaphores, that_are_wrong_are_like_the_plain_call) {
    const fence memory;
    const timespec wrong{0, -1};
    sembuf outside{7, 1, 0};
    EXPECT_EQ(attempt_of(world, SYS_semop, set, memory.beyond(), 1), done(-EFAULT));
    EXPECT_EQ(attempt_of(world, SYS_semop, set, &up, 0), done(-EINVAL));
    EXPECT_EQ(attempt_of(world, SYS_semop, set, &up, 1'000'000), done(-E2BIG));
    EXPECT_EQ(attempt_of(world, SYS_semop, set, &outside, 1), done(-EFBIG));
    EXPECT_EQ(attempt_of(world, SYS_semop, -1, &up, 1), done(-EINVAL));
    EXPECT_EQ(trial(world, SYS_semtimedop, set, &down, 1, &wrong).finish(), -EINVAL);
    EXPECT_EQ(trial(world, SYS_semtimedop, set, &down, 1, memory.beyond()).finish(), -EFAULT);
}

// ---- POSIX message queues -----------------------------------------------------------------------------------------------

class posix_letters : public testing::Test {
protected:
    surroundings world = make_world();
    int queue = -1;
    char text[64]{};
    unsigned priority = 0;

    void SetUp() override {
        const std::string name = "/laio-test-" + std::to_string(getpid());
        mq_attr attributes{};
        attributes.mq_maxmsg = 1;
        attributes.mq_msgsize = sizeof text;
        queue = static_cast<int>(
            plain(SYS_mq_open, name.c_str() + 1, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, &attributes));
        if (queue < 0) GTEST_SKIP() << "no POSIX message queues: " << std::strerror(-queue);
        plain(SYS_mq_unlink, name.c_str() + 1);
    }
    void TearDown() override {
        if (queue >= 0) close(queue);
    }
};

TEST_F(posix_letters, come_and_go_in_place_or_wait_on_the_queue_s_descriptor) {
    trial receiver{world, SYS_mq_timedreceive, queue, text, sizeof text, &priority, nullptr};
    EXPECT_EQ(receiver.attempt(), blocked(until::readable));
    EXPECT_EQ(attempt_of(world, SYS_mq_timedsend, queue, "hello", 6, 3, nullptr), done(0));
    trial sender{world, SYS_mq_timedsend, queue, "again", 6, 4, nullptr};
    EXPECT_EQ(sender.attempt(), blocked(until::writable));
    EXPECT_EQ(receiver.go_on(), 6);
    EXPECT_STREQ(text, "hello");
    EXPECT_EQ(priority, 3U);
    EXPECT_EQ(sender.go_on(), 0);
    EXPECT_EQ(attempt_of(world, SYS_mq_timedreceive, queue, text, sizeof text, &priority, nullptr), done(6));
    EXPECT_STREQ(text, "again");
}

TEST_F(posix_letters, that_have_a_time_are_a_carrier_s) {
    timespec tomorrow{};
    clock_gettime(CLOCK_REALTIME, &tomorrow);
    tomorrow.tv_sec += 86'400;
    EXPECT_EQ(attempt_of(world, SYS_mq_timedreceive, queue, text, sizeof text, nullptr, &tomorrow),
              blocked(until::carrier));
    const timespec past{1, 0};
    EXPECT_EQ(trial(world, SYS_mq_timedreceive, queue, text, sizeof text, nullptr, &past).finish(), -ETIMEDOUT);
}

TEST_F(posix_letters, that_are_wrong_are_like_the_plain_call) {
    const fence memory;
    EXPECT_EQ(attempt_of(world, SYS_mq_timedsend, -1, "x", 1, 0, nullptr), done(-EBADF));
    EXPECT_EQ(attempt_of(world, SYS_mq_timedsend, queue, text, sizeof text + 1, 0, nullptr), done(-EMSGSIZE));
    EXPECT_EQ(attempt_of(world, SYS_mq_timedsend, queue, memory.beyond(), 8, 0, nullptr), done(-EFAULT));
    EXPECT_EQ(attempt_of(world, SYS_mq_timedreceive, queue, text, 1, nullptr, nullptr), done(-EMSGSIZE));
    set_nonblocking(queue);
    EXPECT_EQ(attempt_of(world, SYS_mq_timedreceive, queue, text, sizeof text, nullptr, nullptr), done(-EAGAIN));
}

// ---- Futexes ---------------------------------------------------------------------------------------------------------------

class a_futex : public testing::Test {
protected:
    surroundings world = make_world();
    alignas(4) std::uint32_t value = 5;
};

TEST_F(a_futex, that_has_changed_is_not_waited_for) {
    for (const int command : {FUTEX_WAIT, FUTEX_WAIT_PRIVATE, FUTEX_WAIT_BITSET_PRIVATE})
        EXPECT_EQ(attempt_of(world, SYS_futex, &value, command, 4, nullptr, nullptr, FUTEX_BITSET_MATCH_ANY),
                  done(-EAGAIN));
}

TEST_F(a_futex, that_has_not_is_waited_for_by_a_carrier) {
    const timespec hour{3600, 0};
    for (const int command : {FUTEX_WAIT, FUTEX_WAIT_PRIVATE, FUTEX_WAIT_BITSET_PRIVATE}) {
        trial tried{world, SYS_futex, &value, command, 5, nullptr, nullptr, FUTEX_BITSET_MATCH_ANY};
        EXPECT_EQ(tried.attempt(), blocked(until::carrier));
        value = 6;
        EXPECT_EQ(tried.go_on(), -EAGAIN) << "its value is looked at once more";
        value = 5;
    }
    EXPECT_EQ(attempt_of(world, SYS_futex, &value, FUTEX_WAIT, 5, &hour, nullptr, 0), blocked(until::carrier));
}

TEST_F(a_futex, whose_time_is_over_is_not_waited_for) {
    const timespec none{};
    EXPECT_EQ(attempt_of(world, SYS_futex, &value, FUTEX_WAIT, 5, &none, nullptr, 0), done(-ETIMEDOUT));
}

TEST_F(a_futex, that_is_not_waited_for_is_the_plain_call) {
    EXPECT_EQ(attempt_of(world, SYS_futex, &value, FUTEX_WAKE, 1, nullptr, nullptr, 0), done(0));
    EXPECT_EQ(attempt_of(world, SYS_futex, &value, 12345, 1, nullptr, nullptr, 0), done(-ENOSYS));
    world = make_world(LAIO_FORBID_ATTEMPTS);
    EXPECT_EQ(attempt_of(world, SYS_futex, &value, FUTEX_WAKE, 1, nullptr, nullptr, 0), done(0)) << "it ends a wait";
}

TEST_F(a_futex, that_is_wrong_is_like_the_plain_call) {
    const fence memory;
    const timespec wrong{0, -1};
    EXPECT_EQ(attempt_of(world, SYS_futex, memory.beyond(), FUTEX_WAIT, 5, nullptr, nullptr, 0), done(-EFAULT));
    EXPECT_EQ(attempt_of(world, SYS_futex, as_word(&value) + 1, FUTEX_WAIT, 5, nullptr, nullptr, 0), done(-EINVAL));
    EXPECT_EQ(attempt_of(world, SYS_futex, &value, FUTEX_WAIT_BITSET, 5, nullptr, nullptr, 0), done(-EINVAL));
    EXPECT_EQ(trial(world, SYS_futex, &value, FUTEX_WAIT, 5, &wrong, nullptr, 0).finish(), -EINVAL);
    EXPECT_EQ(trial(world, SYS_futex, &value, FUTEX_WAIT, 5, memory.beyond(), nullptr, 0).finish(), -EFAULT);
}

// ---- Random numbers --------------------------------------------------------------------------------------------------------

TEST(random_numbers, come_in_place) {
    surroundings world = make_world();
    char bytes[2][64]{};
    for (auto &one : bytes) EXPECT_EQ(attempt_of(world, SYS_getrandom, one, sizeof one, 0), done(sizeof one));
    EXPECT_NE(std::memcmp(bytes[0], bytes[1], sizeof bytes[0]), 0);
    EXPECT_EQ(attempt_of(world, SYS_getrandom, bytes[0], 8, GRND_NONBLOCK), done(8));
    const fence memory;
    EXPECT_EQ(attempt_of(world, SYS_getrandom, memory.beyond(), 8, 0), done(-EFAULT));
    EXPECT_EQ(attempt_of(world, SYS_getrandom, bytes[0], 8, 0x4000), done(-EINVAL));
}

// ---- Pipes to pipes ----------------------------------------------------------------------------------------------------------

class pipe_copies : public testing::Test {
protected:
    surroundings world = make_world();
    const ends from = make_pipe();
    const ends to = make_pipe();
};

TEST_F(pipe_copies, of_what_is_there_are_made_in_place) {
    put(from.in, "hello");
    EXPECT_EQ(attempt_of(world, SYS_tee, from.out, to.in, 100, 0), done(5));
    EXPECT_EQ(get(to.out, 5), "hello");
    EXPECT_EQ(get(from.out, 5), "hello") << "a copy";
    const iovec vector{const_cast<char *>("there"), 5};
    EXPECT_EQ(attempt_of(world, SYS_vmsplice, to.in, &vector, 1, 0), done(5));
    EXPECT_EQ(get(to.out, 5), "there");
}

TEST_F(pipe_copies, of_what_is_not_there_or_to_where_no_room_is_are_a_carrier_s) {
    trial tried{world, SYS_tee, from.out, to.in, 100, 0};
    EXPECT_EQ(tried.attempt(), blocked(until::carrier));
    EXPECT_EQ(attempt_of(world, SYS_tee, from.out, to.in, 100, SPLICE_F_NONBLOCK), done(-EAGAIN));
    put(from.in, "hello");
    EXPECT_EQ(tried.go_on(), 5);
    fill(to.in);
    const iovec vector{const_cast<char *>("there"), 5};
    EXPECT_EQ(attempt_of(world, SYS_tee, from.out, to.in, 100, 0), blocked(until::carrier));
    EXPECT_EQ(attempt_of(world, SYS_vmsplice, to.in, &vector, 1, 0), blocked(until::carrier));
    EXPECT_EQ(attempt_of(world, SYS_vmsplice, to.in, &vector, 1, SPLICE_F_NONBLOCK), done(-EAGAIN));
}

TEST_F(pipe_copies, that_are_wrong_are_like_the_plain_call) {
    const fence memory;
    const ends sockets = make_sockets();
    const iovec vector{const_cast<char *>("there"), 5};
    for (const auto &[in, out] : {std::pair<int, int>{-1, to.in},
                                  {from.out, -1},
                                  {sockets.out, to.in},
                                  {from.in, to.in},
                                  {from.out, to.out},
                                  {from.out, from.in}}) {
        EXPECT_EQ(attempt_of(world, SYS_tee, in, out, 100, 0), done(plain(SYS_tee, in, out, 100, 0)));
        EXPECT_EQ(attempt_of(world, SYS_vmsplice, in, memory.beyond(), 1, 0),
                  done(plain(SYS_vmsplice, in, memory.beyond(), 1, 0)));
    }
    EXPECT_EQ(attempt_of(world, SYS_tee, from.out, to.in, 0, 0), done(0));
    EXPECT_EQ(attempt_of(world, SYS_tee, from.out, to.in, 1, 0x4000), done(plain(SYS_tee, from.out, to.in, 1, 0x4000)));
    EXPECT_EQ(attempt_of(world, SYS_vmsplice, sockets.in, &vector, 1, 0),
              done(plain(SYS_vmsplice, sockets.in, &vector, 1, 0)));
    EXPECT_EQ(attempt_of(world, SYS_vmsplice, to.in, &vector, -1, 0), done(plain(SYS_vmsplice, to.in, &vector, -1, 0)));
}

} // namespace
