// The ring: chains, cancelling, queues that are full, its end.
#include "httpd/uring_fixture.hpp"

#include <fcntl.h>
#include <poll.h>

#include <map>

namespace httpd {
namespace {

struct client final : uring_client {
    void completed(unsigned which, int result) override { results[which].push_back(result); }
    std::size_t told() const {
        std::size_t all = 0;
        for (const auto &[which, some] : results) all += some.size();
        return all;
    }
    std::map<unsigned, std::vector<int>> results;
};

class uring_test : public on_a_ring {
protected:
    void add_nop(client &whose, unsigned which = 0) {
        loop->ring().add(whose, which, [](auto &entry) { io_uring_prep_nop(&entry); });
    }
    void add_poll(client &whose, unsigned which, int descriptor) {
        loop->ring().add(whose, which, [&](auto &entry) { io_uring_prep_poll_add(&entry, descriptor, POLLIN); });
    }
};

TEST_F(uring_test, tells_which_request_has_completed) {
    client one;
    client other;
    add_nop(one, 0);
    add_nop(one, 7);
    add_nop(other, 3);
    until([&] { return one.told() + other.told() == 3; });
    EXPECT_EQ(one.results, (std::map<unsigned, std::vector<int>>{{0, {0}}, {7, {0}}}));
    EXPECT_EQ(other.results, (std::map<unsigned, std::vector<int>>{{3, {0}}}));
}

TEST_F(uring_test, takes_more_requests_in_a_turn_than_its_queues_hold) {
    constexpr std::size_t many = 30000;
    client one;
    for (std::size_t i = 0; i < many; ++i) add_nop(one);
    until([&] { return one.told() == many; });
    turn();
    EXPECT_EQ(one.told(), many);
}

// A chain of which one part was submitted without the other would not be one: the end of the file would not break it.
TEST_F(uring_test, keeps_chains_together_wherever_they_fall_in_the_queue) {
    const auto path = file("empty", "");
    const int empty = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    std::array<char, 1> room{};
    constexpr int chains = 2500;
    client one;
    add_nop(one, 0);
    for (int i = 0; i < chains; ++i) {
        loop->ring().keep_together(2);
        loop->ring().add(one, 1, [&](auto &entry) {
            io_uring_prep_read(&entry, empty, room.data(), 1, 0);
            entry.flags |= IOSQE_IO_LINK;
        });
        add_nop(one, 2);
    }
    until([&] { return one.told() == 2 * chains + 1; });
    EXPECT_EQ(one.results[1], std::vector<int>(chains, 0));
    EXPECT_EQ(one.results[2], std::vector<int>(chains, -ECANCELED));
    ::close(empty);
}

TEST_F(uring_test, cancels_one_request_and_no_other) {
    pipe_pair quiet;
    client one;
    add_poll(one, 0, quiet.ends[0]);
    add_poll(one, 1, quiet.ends[0]);
    turn();
    EXPECT_EQ(one.told(), 0U);
    loop->ring().cancel(one, 1);
    until([&] { return one.told() == 1; });
    turn();
    EXPECT_EQ(one.results, (std::map<unsigned, std::vector<int>>{{1, {-ECANCELED}}}));
    ASSERT_EQ(::write(quiet.ends[1], "x", 1), 1);
    until([&] { return one.told() == 2; });
    EXPECT_EQ(one.results[0], std::vector<int>{POLLIN});
}

TEST_F(uring_test, cancels_what_is_not_submitted_yet) {
    pipe_pair quiet;
    client one;
    add_poll(one, 0, quiet.ends[0]);
    loop->ring().cancel(one, 0);
    until([&] { return one.told() == 1; });
    EXPECT_EQ(one.results[0], std::vector<int>{-ECANCELED});
}

TEST_F(uring_test, cancelling_what_has_completed_does_nothing) {
    client one;
    add_nop(one);
    until([&] { return one.told() == 1; });
    loop->ring().cancel(one, 0);
    turn();
    EXPECT_EQ(one.told(), 1U);
}

TEST_F(uring_test, a_wait_ends_with_its_time) {
    loop->wait(0);
    loop->wait(1'000'000);
    EXPECT_EQ(loop->take_woken_ns(), 0);
    client one;
    add_nop(one);
    loop->wait(-1);
    EXPECT_GT(loop->take_woken_ns(), 0);
}

TEST_F(uring_test, at_the_end_nothing_is_under_way_and_nobody_is_told) {
    pipe_pair quiet;
    client one;
    std::array<char, 8> room{};
    for (int i = 0; i < 3000; ++i) add_poll(one, 0, quiet.ends[0]);
    loop->ring().add(one, 1, [&](auto &entry) { io_uring_prep_read(&entry, quiet.ends[0], room.data(), 8, 0); });
    turn();
    EXPECT_TRUE(loop->ring().end());
    ASSERT_EQ(::write(quiet.ends[1], "written", 8), 8);
    EXPECT_EQ(room[0], 0);
    EXPECT_TRUE(loop->ring().end());
    EXPECT_EQ(one.told(), 0U);
}

TEST_F(uring_test, readability_is_told_and_cancelled) {
    pipe_pair quiet;
    asker who;
    who.takes(loop->readable(who, quiet.ends[0]));
    turn();
    EXPECT_FALSE(who.ready());
    ASSERT_EQ(::write(quiet.ends[1], "x", 1), 1);
    until([&] { return who.ready(); });
    EXPECT_EQ(who.answer().error, 0);

    asker other;
    char byte = 0;
    ASSERT_EQ(::read(quiet.ends[0], &byte, 1), 1);
    other.takes(loop->readable(other, quiet.ends[0]));
    other.cancel();
    until([&] { return other.ready(); });
    EXPECT_EQ(other.answer().error, ECANCELED);
}

} // namespace
} // namespace httpd
