// The ring's set-up, flag by flag, and why there may be none; its queues when they are full.
//
// The submission queue fills up only where the kernel takes nothing from it. A filter of calls makes it so: it refuses
// every io_uring_enter(2) that does not ask for completions, so that only sleep() submits.
#include "engines/ring.hpp"

#include "engines/ring_fixture.hpp"
#include "kernel/child.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <linux/io_uring.h>
#include <memory>
#include <string>
#include <sys/resource.h>

namespace {

using namespace laio::test;
using laio::operation;
using laio::word;

constexpr unsigned all_new =
    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG;

bool runs(ring_by_hand &on) {
    const ends pipe = make_pipe();
    operation &op = on.read_byte(pipe);
    on->submit();
    put(pipe.writer, "x");
    return on.collect_up_to(1) && op.result == 1;
}

// ---- Set-up --------------------------------------------------------------------------------------------------------

class set_up : public testing::Test {
protected:
    void SetUp() override {
        if (const char *reason = no_ring(); reason != nullptr) GTEST_SKIP() << "no io_uring: " << reason;
    }
};

TEST_F(set_up, uses_nothing_that_is_forbidden) {
    const struct {
        std::uint32_t forbid;
        unsigned never;
    } cases[] = {
        {0, IORING_SETUP_SQPOLL | IORING_SETUP_IOPOLL},
        {LAIO_FORBID_DEFER, IORING_SETUP_DEFER_TASKRUN},
        {LAIO_FORBID_RING_NEW, all_new},
        {LAIO_FORBID_RING_NEW | LAIO_FORBID_DEFER, all_new},
    };
    for (const auto &each : cases) {
        SCOPED_TRACE(each.forbid);
        ring_by_hand on(8, each.forbid);
        ASSERT_EQ(on.opened, 0);
        EXPECT_EQ(on->flags() & each.never, 0U);
        EXPECT_TRUE(runs(on));
    }
}

TEST_F(set_up, uses_the_newest_that_the_kernel_knows) {
    ring_by_hand on(8);
    io_uring_params parameters{};
    parameters.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
    const descriptor newest(static_cast<int>(syscall(SYS_io_uring_setup, 1, &parameters)));
    parameters = {};
    parameters.flags = IORING_SETUP_COOP_TASKRUN;
    const descriptor newer(static_cast<int>(syscall(SYS_io_uring_setup, 1, &parameters)));
    EXPECT_EQ((on->flags() & IORING_SETUP_DEFER_TASKRUN) != 0, newest.get() >= 0);
    ring_by_hand second(8, LAIO_FORBID_DEFER);
    EXPECT_EQ((second->flags() & IORING_SETUP_COOP_TASKRUN) != 0, newer.get() >= 0);
}

TEST_F(set_up, takes_any_size) {
    for (const std::uint32_t entries : {1U, 3U, 256U, 32'768U}) {
        ring_by_hand on(entries);
        if (on.opened == -ENOMEM) continue; // of locked memory, before Linux 5.12
        ASSERT_EQ(on.opened, 0) << entries;
        EXPECT_TRUE(runs(on)) << entries;
    }
}

TEST_F(set_up, costs_descriptors_that_are_given_back) {
    const std::size_t before = count_descriptors();
    {
        ring_by_hand on(8);
        EXPECT_EQ(count_descriptors(), before + 2) << "the ring's and our alarm's";
        const ends pipe = make_pipe();
        on.read_byte(pipe); // still in the air when the ring ends
        on->submit();
    }
    EXPECT_EQ(count_descriptors(), before);
}

TEST(no_ring_at_all, says_why_and_does_nothing) {
    // there is no eventfd to tell of completions: so there is no ring
    laio_options options{};
    options.ring_entries = 8;
    const std::size_t before = count_descriptors();
    laio::ring none;
    EXPECT_LT(none.open(options, -1), 0);
    EXPECT_FALSE(none.is_open());
    EXPECT_TRUE(none.is_idle());
    EXPECT_EQ(count_descriptors(), before);
    operations made;
    operation &op = made.make(SYS_read, {0, 0, 0});
    if (no_ring() != nullptr) {
        EXPECT_FALSE(none.can(op));
        EXPECT_EQ(none.start(op), -EOPNOTSUPP);
    }
    none.set_alarm(true);
    none.set_alarm(false);
}

// What a container's filter may answer. 0: it was opened and runs.
long open_where_refused(unsigned call, int error, std::uint32_t forbid) {
    const std::size_t before = count_descriptors();
    if (!refuse_calls({call}, error)) return cannot;
    long r = 0;
    {
        ring_by_hand on(8, forbid);
        r = on.opened;
        if (on->is_open() != (r == 0)) return 1;
        if (r == 0 && !runs(on)) return 2;
    }
    return count_descriptors() == before ? r : 3;
}

TEST_F(set_up, that_is_refused_is_no_ring) {
    for (const int error : {EPERM, ENOSYS, EINVAL, EMFILE, ENOMEM}) {
        const auto end = in_child([=] { return open_where_refused(SYS_io_uring_setup, error, 0); });
        if (end.value == cannot) GTEST_SKIP() << "no filter of calls to be had";
        EXPECT_EQ(end.value, -error) << end;
    }
}

TEST_F(set_up, that_may_not_register_is_no_ring) {
    for (const std::uint32_t forbid : {0U, LAIO_FORBID_RING_NEW}) {
        const auto end = in_child([=] { return open_where_refused(SYS_io_uring_register, EPERM, forbid); });
        if (end.value == cannot) GTEST_SKIP() << "no filter of calls to be had";
        EXPECT_TRUE(end.returned) << end;
        EXPECT_LT(end.value, 0);
    }
}

// ---- Full queues ---------------------------------------------------------------------------------------------------

using full_queue = set_up;

// More requests than fit, and more completions than the kernel has room for.
TEST_F(full_queue, loses_and_doubles_nothing) {
    for (const std::uint32_t forbid : {0U, LAIO_FORBID_DEFER, LAIO_FORBID_RING_NEW}) {
        SCOPED_TRACE(forbid);
        ring_by_hand on(1, forbid);
        ASSERT_EQ(on.opened, 0);
        const ends pipe = make_pipe();
        const descriptor file = make_file("content");
        char bytes[7];
        given all;
        for (int i = 0; i < 300; ++i)
            all.push_back(i % 2 == 0 ? &on.read_byte(pipe)
                                     : &on.start(SYS_pread64, {file.get(), word(bytes), sizeof bytes, 0}));
        on->submit();
        put(pipe.writer, std::string(150, 'x'));
        ASSERT_TRUE(on.collect_up_to(300));
        for (std::size_t i = 0; i < 300; ++i) {
            EXPECT_EQ(on.made.times_given(*all[i]), 1) << i;
            EXPECT_EQ(all[i]->result, i % 2 == 0 ? 1 : 7) << i;
        }
        EXPECT_TRUE(on->is_idle());
        EXPECT_EQ(on->submitted(), 300U);
        on->sleep(&laio::no_time);
        EXPECT_EQ(on.collect(), given{});
    }
}

// The kernel keeps completions that do not fit, and says so by a flag.
TEST_F(full_queue, of_completions_is_emptied_at_once) {
    for (const std::uint32_t forbid : {0U, LAIO_FORBID_DEFER, LAIO_FORBID_RING_NEW}) {
        SCOPED_TRACE(forbid);
        ring_by_hand on(1, forbid);
        ASSERT_EQ(on.opened, 0);
        const ends pair = make_sockets();
        put(pair.writer, std::string(100, 'x')); // each request is complete when it is submitted
        char byte = 0;
        for (int i = 0; i < 100; ++i) on.start(SYS_recvfrom, {pair.reader.get(), word(&byte), 1, 0, 0, 0});
        on->submit();
        EXPECT_EQ(on.collect().size(), 100U);
        EXPECT_FALSE(on->has_complete());
    }
}

TEST_F(full_queue, cancels_all_the_same) {
    ring_by_hand on(1);
    ASSERT_EQ(on.opened, 0);
    const ends pipe = make_pipe();
    given all;
    for (int i = 0; i < 100; ++i) all.push_back(&on.read_byte(pipe));
    on->submit();
    std::size_t here = 0;
    for (operation *op : all) here += on->cancel(*op) ? 1U : 0U;
    ASSERT_TRUE(on.collect_up_to(100 - here));
    for (const operation *op : on.order) EXPECT_EQ(op->result, -ECANCELED);
    EXPECT_TRUE(on->is_idle());
}

// From here on only who asks for completions submits.
bool refuse_submitting() {
    constexpr auto flags = static_cast<unsigned>(offsetof(seccomp_data, args) + 3 * sizeof(__u64));
    sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_enter, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, flags),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, IORING_ENTER_GETEVENTS, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EBUSY),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog filter{std::size(program), program};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

// A ring of four entries that are taken; what comes then is held back.
struct stuck_ring {
    stuck_ring() {
        can_be = on.opened == 0 && refuse_submitting();
        if (!can_be) return;
        for (int i = 0; i < 4; ++i) queued.push_back(&on.read_byte(pipe));
        for (int i = 0; i < 3; ++i) held.push_back(&on.read_byte(pipe));
    }
    ring_by_hand on{4};
    bool can_be = false;
    ends pipe = make_pipe();
    given queued;
    given held;
};

void expect_ok(const child_end &end) {
    if (end.value == cannot) GTEST_SKIP() << "no filter of calls to be had";
    EXPECT_EQ(end.value, 0) << end;
}

TEST_F(full_queue, has_a_backlog) {
    expect_ok(in_child([] {
        stuck_ring one;
        ring_by_hand &on = one.on;
        if (!one.can_be) return cannot;
        if (on->submitted() != 4 || on->in_flight() != 4 || on->is_idle()) return 1L;
        for (const operation *op : one.held)
            if (!op->held) return 2L;
        for (const operation *op : one.queued)
            if (op->held) return 3L;
        if (!on.collect().empty() || on->submitted() != 4) return 4L;
        // one at a time: what is complete makes room for the next
        for (const char *byte : {"a", "b", "c", "d", "e", "f", "g"}) {
            const std::size_t before = on.order.size();
            put(one.pipe.writer, byte);
            if (!on.collect_up_to(before + 1)) return 5L;
            if (on.order.back()->result != 1) return 6L;
        }
        if (!on->is_idle() || on->submitted() != 7) return 7L;
        for (const operation *op : one.held)
            if (on.made.times_given(*op) != 1 || op->held) return 8L;
        return testing::Test::HasFailure() ? 9L : 0L;
    }));
}

TEST_F(full_queue, lets_nobody_overtake_the_backlog) {
    expect_ok(in_child([] {
        stuck_ring one;
        ring_by_hand &on = one.on;
        if (!one.can_be) return cannot;
        on->sleep(&laio::no_time); // there is room again, but nobody has looked
        operation &latest = on.read_byte(one.pipe);
        if (!latest.held) return 1L;
        put(one.pipe.writer, "12345678");
        if (!on.collect_up_to(8) || latest.held) return 2L;
        return on->is_idle() ? 0L : 3L;
    }));
}

TEST_F(full_queue, gives_a_held_one_back_at_once_when_it_is_cancelled) {
    expect_ok(in_child([] {
        stuck_ring one;
        ring_by_hand &on = one.on;
        if (!one.can_be) return cannot;
        if (!on->cancel(*one.held[1]) || one.held[1]->held) return 1L;
        if (on->in_flight() != 4) return 2L;
        put(one.pipe.writer, "123456");
        if (!on.collect_up_to(6)) return 3L;
        if (on.made.times_given(*one.held[1]) != 0) return 4L;
        if (!on->is_idle() || on->submitted() != 6) return 5L;
        return 0L;
    }));
}

TEST_F(full_queue, cancels_later_what_it_cannot_cancel_now) {
    expect_ok(in_child([] {
        stuck_ring one;
        ring_by_hand &on = one.on;
        if (!one.can_be) return cannot;
        for (operation *op : one.queued) {
            if (on->cancel(*op)) return 1L; // the kernel's, or on its way there
            if (!op->held) return 2L;
        }
        for (operation *op : one.held)
            if (!on->cancel(*op)) return 3L;
        if (on->is_idle()) return 4L;
        // the first sleep submits the reads, for which there is nothing; the others their ends
        for (int i = 0; i < 100 && on.order.size() < 4; ++i) {
            on->sleep(&laio::no_time);
            on.collect();
        }
        if (on.order.size() != 4) return 5L;
        for (const operation *op : on.order)
            if (op->result != -ECANCELED || op->held) return 6L;
        return on->is_idle() ? 0L : 7L;
    }));
}

TEST_F(full_queue, forgets_the_end_of_what_is_complete_first) {
    expect_ok(in_child([] {
        stuck_ring one;
        ring_by_hand &on = one.on;
        if (!one.can_be) return cannot;
        put(one.pipe.writer, "1234567");
        for (operation *op : one.queued)
            if (on->cancel(*op) || !op->held) return 1L;
        if (!on.collect_up_to(7)) return 2L;
        for (const operation *op : one.queued)
            if (on.made.times_given(*op) != 1 || op->result != 1 || op->held) return 3L;
        for (int i = 0; i < 3; ++i) {
            on->sleep(&laio::no_time);
            if (!on.collect().empty()) return 4L;
        }
        return on->is_idle() ? 0L : 5L;
    }));
}

} // namespace
