// poll and its kin: one look, then the wait for the descriptors or for the time; sets and time-outs as the plain call has
// them.
#include "unit/calls/files.hpp"
#include "unit/calls/trial.hpp"

#include "kernel/clock.hpp"

#include <csignal>
#include <cstring>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <vector>

namespace {

using namespace laio::test; // NOLINT(google-build-using-namespace)
using laio::blocked;
using laio::done;
using laio::no_time;
using laio::outcome;
using laio::surroundings;
using laio::until;

class looking : public testing::Test {
protected:
    surroundings world = make_world();
    const ends ready = make_pipe();
    const ends empty = make_pipe();
    const timespec hour{3600, 0};

    void SetUp() override { put(ready.in, "x"); }

    // As when the loop's timer says that its time is over.
    static void expire(trial &tried) { tried.op().deadline_ns = laio::now_ns() - 1; }
};

// ---- poll ----------------------------------------------------------------------------------------------------------------

TEST_F(looking, finds_what_is_ready_in_place) {
    pollfd items[2] = {{empty.out, POLLIN, 0}, {ready.out, POLLIN, 0}};
    EXPECT_EQ(attempt_of(world, SYS_ppoll, items, 2, nullptr, nullptr, 8), done(1));
    EXPECT_EQ(items[0].revents, 0);
    EXPECT_EQ(items[1].revents, POLLIN);
    timespec time = hour;
    EXPECT_EQ(attempt_of(world, SYS_ppoll, items, 2, &time, nullptr, 8), done(1));
#ifdef SYS_poll
    for (const int timeout_ms : {-1, 0, 1000}) EXPECT_EQ(attempt_of(world, SYS_poll, items, 2, timeout_ms), done(1));
#endif
}

TEST_F(looking, waits_for_what_is_not_ready) {
    pollfd item{empty.out, POLLIN, 77};
    trial tried{world, SYS_ppoll, &item, 1, nullptr, nullptr, 8};
    for (int i = 0; i < 3; ++i) EXPECT_EQ(tried.attempt(), blocked(until::descriptors));
    EXPECT_LE(tried.op().deadline_ns, 0) << "no time-out";
    put(empty.in, "x");
    EXPECT_EQ(tried.attempt(), done(1));
    EXPECT_EQ(item.revents, POLLIN);
}

TEST_F(looking, ends_when_its_time_is_over) {
    pollfd item{empty.out, POLLIN, 77};
    timespec time = hour;
    trial tried{world, SYS_ppoll, &item, 1, &time, nullptr, 8};
    const std::int64_t before = laio::now_ns();
    EXPECT_EQ(tried.attempt(), blocked(until::descriptors));
    EXPECT_GE(tried.op().deadline_ns, before + 3600'000'000'000);
    EXPECT_LE(tried.op().deadline_ns, laio::now_ns() + 3600'000'000'000);
    const std::int64_t deadline = tried.op().deadline_ns;
    EXPECT_EQ(tried.attempt(), blocked(until::descriptors));
    EXPECT_EQ(tried.op().deadline_ns, deadline) << "a second look does not begin anew";
    expire(tried);
    EXPECT_EQ(tried.attempt(), done(0));
    EXPECT_EQ(item.revents, 0);
}

TEST_F(looking, for_no_time_is_done_at_once) {
    pollfd item{empty.out, POLLIN, 77};
    timespec time = no_time;
    EXPECT_EQ(attempt_of(world, SYS_ppoll, &item, 1, &time, nullptr, 8), done(0));
    EXPECT_EQ(item.revents, 0);
#ifdef SYS_poll
    EXPECT_EQ(attempt_of(world, SYS_poll, &item, 1, 0), done(0));
    EXPECT_EQ(attempt_of(world, SYS_poll, &item, 1, -5), blocked(until::descriptors));
    EXPECT_EQ(attempt_of(world, SYS_poll, &item, 1, 5L << 32U), done(0)) << "an int";
    trial timed{world, SYS_poll, &item, 1, 60'000};
    const std::int64_t before = laio::now_ns();
    EXPECT_EQ(timed.attempt(), blocked(until::descriptors));
    EXPECT_GE(timed.op().deadline_ns, before + 60'000'000'000);
#endif
}

TEST_F(looking, finds_what_is_wrong_with_a_descriptor) {
    pollfd items[3] = {{-1, POLLIN, 77}, {INT_MAX, POLLIN, 0}, {empty.out, POLLIN, 0}};
    EXPECT_EQ(attempt_of(world, SYS_ppoll, items, 3, nullptr, nullptr, 8), done(1));
    EXPECT_EQ(items[0].revents, 0);
    EXPECT_EQ(items[1].revents, POLLNVAL);
    ends closed = make_pipe();
    closed.in.reset();
    pollfd item{closed.out, 0, 0};
    EXPECT_EQ(attempt_of(world, SYS_ppoll, &item, 1, nullptr, nullptr, 8), done(1));
    EXPECT_EQ(item.revents, POLLHUP);
}

TEST_F(looking, in_a_wrong_way_is_like_the_plain_call) {
    const fence memory;
    pollfd item{empty.out, POLLIN, 0};
    timespec time = hour;
    const std::uint64_t mask = 0;
    const auto expect_as_plain = [this](const char *what, auto... arguments) {
        SCOPED_TRACE(what);
        const long expected = plain(SYS_ppoll, arguments...);
        EXPECT_LT(expected, 0) << "this would not be an error";
        EXPECT_EQ(attempt_of(world, SYS_ppoll, arguments...), done(expected));
    };
    expect_as_plain("no memory", memory.beyond(), 1, &time, nullptr, 8);
    expect_as_plain("not enough memory", memory.last(sizeof item), 2, &time, nullptr, 8);
    expect_as_plain("too many", &item, 1 << 30, &time, nullptr, 8);
    expect_as_plain("no time", &item, 1, memory.beyond(), nullptr, 8);
    expect_as_plain("no mask", &item, 1, &time, memory.beyond(), 8);
    expect_as_plain("a mask of a wrong length", &item, 1, &time, &mask, 4);
    for (const timespec &wrong : {timespec{-1, 0}, timespec{0, -1}, timespec{0, 1'000'000'000}}) {
        timespec copy = wrong;
        expect_as_plain("a time that is none", &item, 1, &copy, nullptr, 8);
    }
}

// ---- select ----------------------------------------------------------------------------------------------------------------

struct sets {
    fd_set read{};
    fd_set write{};
    [[nodiscard]] bool operator==(const sets &other) const { return std::memcmp(this, &other, sizeof other) == 0; }
};

TEST_F(looking, at_sets_finds_what_is_ready_and_nothing_else) {
    sets given;
    FD_SET(ready.out, &given.read);
    FD_SET(empty.out, &given.read);
    FD_SET(empty.in, &given.write);
    const outcome next = attempt_of(world, SYS_pselect6, 512, &given.read, &given.write, nullptr, nullptr, nullptr);
    EXPECT_EQ(next, done(2));
    EXPECT_TRUE(FD_ISSET(ready.out, &given.read));
    EXPECT_FALSE(FD_ISSET(empty.out, &given.read));
    EXPECT_TRUE(FD_ISSET(empty.in, &given.write));
}

TEST_F(looking, at_sets_has_them_again_for_the_next_look) {
    const ends other = make_pipe();
    sets given;
    FD_SET(empty.out, &given.read);
    FD_SET(other.out, &given.read);
    const sets before = given;
    trial tried{world, SYS_pselect6, 512, &given.read, &given.write, nullptr, nullptr, nullptr};
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(tried.attempt(), blocked(until::descriptors));
        EXPECT_TRUE(given == before);
    }
    put(other.in, "x");
    EXPECT_EQ(tried.attempt(), done(1));
    EXPECT_FALSE(FD_ISSET(empty.out, &given.read));
    EXPECT_TRUE(FD_ISSET(other.out, &given.read));
}

TEST_F(looking, at_sets_clears_them_when_its_time_is_over) {
    sets given;
    FD_SET(empty.out, &given.read);
    trial tried{world, SYS_pselect6, 512, &given.read, nullptr, nullptr, &hour, nullptr};
    EXPECT_EQ(tried.attempt(), blocked(until::descriptors));
    expire(tried);
    EXPECT_EQ(tried.attempt(), done(0));
    EXPECT_TRUE(given == sets{});
    FD_SET(empty.out, &given.read);
    timespec time = no_time;
    EXPECT_EQ(attempt_of(world, SYS_pselect6, 512, &given.read, nullptr, nullptr, &time, nullptr), done(0));
    EXPECT_TRUE(given == sets{});
}

TEST_F(looking, at_sets_leaves_what_is_behind_them_alone) {
    struct {
        unsigned long set;
        unsigned long behind;
    } given{1UL << static_cast<unsigned>(static_cast<int>(empty.out)), 0x5555555555555555};
    ASSERT_LT(static_cast<int>(empty.out), 64);
    trial tried{world, SYS_pselect6, 64, &given.set, nullptr, nullptr, nullptr, nullptr};
    EXPECT_EQ(tried.attempt(), blocked(until::descriptors));
    EXPECT_EQ(tried.attempt(), blocked(until::descriptors));
    EXPECT_EQ(given.behind, 0x5555555555555555U);
    const fence memory;
    std::memset(memory.last(8), 0, 8);
    EXPECT_EQ(attempt_of(world, SYS_pselect6, 64, memory.last(8), nullptr, nullptr, nullptr, nullptr),
              blocked(until::descriptors));
}

TEST_F(looking, at_sets_in_a_wrong_way_is_like_the_plain_call) {
    const fence memory;
    sets given;
    timespec time = hour;
    const std::uint64_t mask = 0;
    const long short_mask[2] = {as_word(&mask), 4};
    const long bad_mask[2] = {as_word(memory.beyond()), 8};
    const auto expect_as_plain = [this](const char *what, auto... arguments) {
        SCOPED_TRACE(what);
        const long expected = plain(SYS_pselect6, arguments...);
        EXPECT_LT(expected, 0) << "this would not be an error";
        EXPECT_EQ(trial(world, SYS_pselect6, arguments...).finish(), expected);
    };
    expect_as_plain("no memory", 64, memory.beyond(), nullptr, nullptr, &time, nullptr);
    expect_as_plain("a negative number", -1, &given.read, nullptr, nullptr, &time, nullptr);
    expect_as_plain("no time", 64, &given.read, nullptr, nullptr, memory.beyond(), nullptr);
    expect_as_plain("no mask", 64, &given.read, nullptr, nullptr, &time, memory.beyond());
    expect_as_plain("a mask nowhere", 64, &given.read, nullptr, nullptr, &time, bad_mask);
    expect_as_plain("a mask of a wrong length", 64, &given.read, nullptr, nullptr, &time, short_mask);
    const int closed =
        must(fcntl(empty.out, F_DUPFD_CLOEXEC, 40), "dup"); // beyond the table of descriptors none counts
    close(closed);
    FD_SET(closed, &given.read);
    expect_as_plain("a closed descriptor", 64, &given.read, nullptr, nullptr, &time, nullptr);
    timespec wrong{0, 1'000'000'000};
    expect_as_plain("a time that is none", 64, nullptr, nullptr, nullptr, &wrong, nullptr);
}

#ifdef SYS_select
TEST_F(looking, at_sets_knows_time_in_microseconds) {
    sets given;
    FD_SET(empty.out, &given.read);
    timeval time{3600, 999'999};
    trial tried{world, SYS_select, 512, &given.read, nullptr, nullptr, &time};
    const std::int64_t before = laio::now_ns();
    EXPECT_EQ(tried.attempt(), blocked(until::descriptors));
    EXPECT_GE(tried.op().deadline_ns, before + 3600'999'999'000);
    EXPECT_LE(tried.op().deadline_ns, laio::now_ns() + 3600'999'999'000);
    timeval wrong{0, -1};
    EXPECT_EQ(attempt_of(world, SYS_select, 512, &given.read, nullptr, nullptr, &wrong), done(-EINVAL));
}

// Linux takes more than a second of them.
TEST_F(looking, at_sets_takes_any_number_of_microseconds) {
    sets given;
    FD_SET(ready.out, &given.read);
    timeval time{0, 2'500'000};
    ASSERT_EQ(plain(SYS_select, 512, &given.read, nullptr, nullptr, &time), 1);
    time = {0, 2'500'000};
    EXPECT_EQ(attempt_of(world, SYS_select, 512, &given.read, nullptr, nullptr, &time), done(1));
    given = {};
    FD_SET(empty.out, &given.read);
    time = {1000, 2'500'000};
    trial tried{world, SYS_select, 512, &given.read, nullptr, nullptr, &time};
    const std::int64_t before = laio::now_ns();
    EXPECT_EQ(tried.attempt(), blocked(until::descriptors));
    EXPECT_GE(tried.op().deadline_ns, before + 1002'500'000'000);
}
#endif

// ---- epoll -----------------------------------------------------------------------------------------------------------------

class events : public looking {
protected:
    const descriptor poller{epoll_create1(EPOLL_CLOEXEC)};
    epoll_event found[4]{};

    void SetUp() override {
        looking::SetUp();
        epoll_event wanted{EPOLLIN, {}};
        wanted.data.fd = empty.out;
        must(epoll_ctl(poller, EPOLL_CTL_ADD, empty.out, &wanted), "epoll_ctl");
    }
};

TEST_F(events, that_are_there_are_told_in_place) {
    put(empty.in, "x");
    EXPECT_EQ(attempt_of(world, SYS_epoll_pwait, poller, found, 4, -1, nullptr, 8), done(1));
    EXPECT_EQ(found[0].data.fd, empty.out);
#ifdef SYS_epoll_wait
    EXPECT_EQ(attempt_of(world, SYS_epoll_wait, poller, found, 4, -1), done(1));
#endif
    EXPECT_EQ(attempt_of(world, SYS_epoll_pwait2, poller, found, 4, &hour, nullptr, 8), done(1));
}

TEST_F(events, that_are_not_there_are_waited_for_on_its_descriptor) {
    trial tried{world, SYS_epoll_pwait, poller, found, 4, -1, nullptr, 8};
    for (int i = 0; i < 3; ++i) EXPECT_EQ(tried.attempt(), blocked(until::readable));
    EXPECT_EQ(tried.op().descriptor, poller);
    put(empty.in, "x");
    EXPECT_EQ(tried.go_on(), 1);
}

TEST_F(events, are_waited_for_as_long_as_was_said) {
    EXPECT_EQ(attempt_of(world, SYS_epoll_pwait, poller, found, 4, 0, nullptr, 8), done(0));
    EXPECT_EQ(attempt_of(world, SYS_epoll_pwait2, poller, found, 4, &no_time, nullptr, 8), done(0));
    trial tried{world, SYS_epoll_pwait2, poller, found, 4, &hour, nullptr, 8};
    EXPECT_EQ(tried.attempt(), blocked(until::readable));
    EXPECT_GT(tried.op().deadline_ns, laio::now_ns());
    expire(tried);
    EXPECT_EQ(tried.attempt(), done(0));
    trial in_ms{world, SYS_epoll_pwait, poller, found, 4, 60'000, nullptr, 8};
    EXPECT_EQ(in_ms.attempt(), blocked(until::readable));
    EXPECT_GT(in_ms.op().deadline_ns, laio::now_ns());
}

TEST_F(events, asked_for_in_a_wrong_way_are_like_the_plain_call) {
    const fence memory;
    const std::uint64_t mask = 0;
    const timespec wrong{0, 1'000'000'000};
    EXPECT_EQ(attempt_of(world, SYS_epoll_pwait, -1, found, 4, -1, nullptr, 8), done(-EBADF));
    EXPECT_EQ(attempt_of(world, SYS_epoll_pwait, ready.out, found, 4, -1, nullptr, 8), done(-EINVAL));
    EXPECT_EQ(attempt_of(world, SYS_epoll_pwait, poller, found, 0, -1, nullptr, 8), done(-EINVAL));
    EXPECT_EQ(attempt_of(world, SYS_epoll_pwait, poller, found, -1, -1, nullptr, 8), done(-EINVAL));
    EXPECT_EQ(attempt_of(world, SYS_epoll_pwait, poller, found, 4, -1, memory.beyond(), 8), done(-EFAULT));
    EXPECT_EQ(attempt_of(world, SYS_epoll_pwait, poller, found, 4, -1, &mask, 4), done(-EINVAL));
    EXPECT_EQ(attempt_of(world, SYS_epoll_pwait2, poller, found, 4, memory.beyond(), nullptr, 8), done(-EFAULT));
    EXPECT_EQ(attempt_of(world, SYS_epoll_pwait2, poller, found, 4, &wrong, nullptr, 8), done(-EINVAL));
    put(empty.in, "x");
    EXPECT_EQ(attempt_of(world, SYS_epoll_pwait, poller, memory.beyond(), 4, -1, nullptr, 8), done(-EFAULT));
}

} // namespace
