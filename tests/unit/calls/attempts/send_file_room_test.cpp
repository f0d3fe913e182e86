// sendfile to a socket where LAIO_CLOSES_TOLD is promised: its room is asked for once and used up by whatever is sent, and never
// remembered for so much that more than 64 KB are queued without anybody having asked.
#include "unit/calls/files.hpp"
#include "unit/calls/trial.hpp"

#include <algorithm>
#include <sys/uio.h>

namespace {

using namespace laio::test; // NOLINT(google-build-using-namespace)
using laio::surroundings;
using laio::until;

constexpr long much = 65536;

class remembered_room : public testing::Test {
protected:
    surroundings world = make_world();
    ends connection = make_tcp();
    const descriptor file = make_memory_file(std::string(200'000, 'x'));
    off_t offset = 0;

    void SetUp() override {
        world.remembers_room = true;
        world.assumes_blocking = true;
    }
    [[nodiscard]] std::uint32_t room() const { return world.hints.of(connection.in).room; }
    // As far as it goes at once; how many bytes that is.
    long send_file(long bytes) {
        offset = 0;
        trial sender{world, SYS_sendfile, connection.in, file, &offset, bytes};
        const laio::outcome next = sender.attempt();
        if (next.waits_for != until::carrier) return 0;
        const long step = std::min(static_cast<long>(sender.op().step), bytes);
        return plain(SYS_sendfile, connection.in, file, &offset, step);
    }
};

TEST_F(remembered_room, is_used_up_by_every_sendfile_and_no_more_than_a_crowd_s_mark) {
    ASSERT_EQ(send_file(1000), 1000);
    EXPECT_GT(room(), 0U);
    long sent = 1000;
    for (std::uint32_t before = room(); before >= 1000 + 4096; before = room()) { // what is taken each time
        ASSERT_EQ(send_file(1000), 1000);
        ASSERT_LE(room(), before - 1000);
        sent += 1000;
        ASSERT_LE(sent, much);
    }
    EXPECT_GT(sent, 1000) << "it was never believed";
}

TEST_F(remembered_room, is_less_by_what_is_queued) {
    connection = make_sockets(); // of TCP the peer's kernel takes much, though nobody reads
    ASSERT_EQ(send_file(1000), 1000);
    const std::uint32_t of_an_empty_one = room();
    ASSERT_GT(send_file(30'000), 0);
    while (room() >= 1000 + 4096) send_file(1000); // nobody reads
    send_file(1000);                               // is asked
    EXPECT_LT(room(), of_an_empty_one / 2);
}

TEST_F(remembered_room, is_used_up_by_sends_and_writes) {
    const std::string head(300, 'h');
    ASSERT_EQ(send_file(1000), 1000);
    const std::uint32_t before = room();
    const auto size = static_cast<std::uint32_t>(head.size());
    const auto taken = static_cast<std::uint32_t>(size + laio::descriptor_hints::beside_a_send);
    EXPECT_EQ((trial{world, SYS_write, connection.in, head.data(), head.size()}.finish()), size);
    EXPECT_EQ(room(), before - taken);
    EXPECT_EQ((trial{world, SYS_sendto, connection.in, head.data(), head.size(), 0}.finish()), size);
    EXPECT_EQ(room(), before - 2 * taken);
    EXPECT_EQ((trial{world, SYS_sendto, connection.in, head.data(), head.size(), MSG_DONTWAIT}.finish()), size);
    EXPECT_EQ(room(), before - 3 * taken);
    world.hints.use_room(connection.in, 1'000'000);
    EXPECT_EQ(room(), 0U);
}

// The kernel keeps each piece in more memory than it has bytes.
TEST_F(remembered_room, is_used_up_by_many_small_sends_before_the_socket_is_full) {
    connection = make_sockets();
    ASSERT_EQ(send_file(1000), 1000);
    long sent = 0;
    while (room() > 0 && plain(SYS_sendto, connection.in, "x", 1, MSG_DONTWAIT, nullptr, 0) == 1) {
        world.hints.use_room(connection.in, 1);
        ++sent;
    }
    EXPECT_EQ(room(), 0U) << "it is full after " << sent;
}

TEST_F(remembered_room, is_none_once_a_send_found_none) {
    for (const long number : {SYS_write, SYS_sendto}) {
        connection = make_sockets();
        ASSERT_EQ(send_file(1000), 1000);
        const std::string bytes(65536, 'x');
        while (plain(SYS_sendto, connection.in, bytes.data(), bytes.size(), MSG_DONTWAIT, nullptr, 0) > 0) {}
        ASSERT_GT(room(), 0U);
        trial sender{world, number, connection.in, bytes.data(), bytes.size(), 0};
        EXPECT_EQ(sender.attempt().waits_for, until::writable) << number;
        EXPECT_EQ(room(), 0U) << number;
    }
}

TEST_F(remembered_room, is_none_once_a_sendfile_found_none) {
    connection = make_sockets();
    ASSERT_EQ(send_file(1000), 1000);
    const std::uint32_t before = room();
    const std::string bytes(65536, 'x');
    while (plain(SYS_sendto, connection.in, bytes.data(), bytes.size(), MSG_DONTWAIT, nullptr, 0) > 0) {}
    ASSERT_EQ(send_file(static_cast<long>(before) + 1), 0);
    EXPECT_EQ(room(), 0U);
}

TEST_F(remembered_room, is_not_believed_for_more_than_it_is) {
    ASSERT_EQ(send_file(1000), 1000);
    const std::uint32_t before = room();
    EXPECT_FALSE(world.hints.take_room(connection.in, before + 1ULL));
    EXPECT_EQ(room(), before);
    EXPECT_TRUE(world.hints.take_room(connection.in, before));
    EXPECT_EQ(room(), 0U);
}

TEST_F(remembered_room, is_forgotten_with_the_number) {
    ASSERT_EQ(send_file(1000), 1000);
    const auto number = static_cast<unsigned>(static_cast<int>(connection.in));
    world.hints.forget(number + 1, ~0U);
    EXPECT_GT(room(), 0U);
    world.hints.forget(0U, number);
    EXPECT_EQ(room(), 0U);
}

TEST_F(remembered_room, is_not_there_without_the_promise) {
    world.remembers_room = false;
    ASSERT_EQ(send_file(1000), 1000);
    EXPECT_EQ(room(), 0U);
}

} // namespace
