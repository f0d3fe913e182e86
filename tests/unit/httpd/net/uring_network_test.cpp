// The network through the ring, on sockets that the tests read slowly or not at all.
#include "httpd/uring_fixture.hpp"
#include "net/uring_network.hpp"

#include <fcntl.h>
#include <sys/uio.h>

#include <deque>

namespace httpd {
namespace {

std::string pattern(std::size_t length) {
    std::string bytes(length, 0);
    for (std::size_t i = 0; i < length; ++i) bytes[i] = static_cast<char>(i * 31 + i / 251);
    return bytes;
}

class uring_network_test : public on_a_ring {
protected:
    void SetUp() override {
        on_a_ring::SetUp();
        if (!IsSkipped()) net.emplace(loop->ring(), 1U); // one buffer
    }
    void TearDown() override {
        net.reset();
        on_a_ring::TearDown();
    }

    int file_of(const std::string &content) {
        const auto path = file("file", content);
        return ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    }
    outcome send(int socket, std::string_view bytes, bool more = false) {
        asker who;
        const std::array<iovec, 1> part{iovec{const_cast<char *>(bytes.data()), bytes.size()}};
        who.takes(net->send(who, socket, part, more));
        until([&] { return who.ready(); });
        return who.answer();
    }

    std::optional<uring_network> net;
};

TEST_F(uring_network_test, receives_what_there_is) {
    pair_of_sockets sockets;
    asker who;
    std::array<char, 10> room{};
    who.takes(net->receive(who, sockets.ours(), room));
    turn();
    EXPECT_FALSE(who.ready());
    ASSERT_EQ(::write(sockets.ends[1], "abc", 3), 3);
    until([&] { return who.ready(); });
    EXPECT_EQ(who.answer().value, 3);
    EXPECT_EQ(std::string_view(room.data(), 3), "abc");
}

TEST_F(uring_network_test, a_send_is_over_when_all_of_it_has_gone) {
    pair_of_sockets sockets;
    const auto first = pattern(1'000'000);
    const auto second = pattern(500'000);
    const std::array<iovec, 2> parts{iovec{const_cast<char *>(first.data()), first.size()},
                                     iovec{const_cast<char *>(second.data()), second.size()}};
    asker who;
    who.takes(net->send(who, sockets.ours(), parts, false));
    turn();
    EXPECT_FALSE(who.ready());
    std::string got;
    while (!who.ready()) {
        got += sockets.read();
        loop->wait(1'000'000);
    }
    got += sockets.read();
    EXPECT_EQ(who.answer().value, 1'500'000);
    EXPECT_TRUE(got == first + second);
}

TEST_F(uring_network_test, a_head_goes_with_what_follows_it) {
    pair_of_sockets sockets;
    EXPECT_EQ(send(sockets.ours(), "head", true).value, 4);
    EXPECT_EQ(sockets.read(), "");
    EXPECT_EQ(send(sockets.ours(), "body").value, 4);
    EXPECT_EQ(sockets.read(), "headbody");
    EXPECT_EQ(send(sockets.ours(), pattern(10'000), true).value, 10'000); // too long to be kept
    EXPECT_EQ(sockets.read(), pattern(10'000));
}

struct sent_file {
    std::size_t head_bytes, file_bytes, from, asked;
};

TEST_F(uring_network_test, sends_files_of_all_sizes_to_slow_readers) {
    const sent_file cases[] = {
        {0, 1, 0, 1},
        {100, 1000, 0, 1000},
        {100, 65536, 0, 65536},
        {100, 65537, 0, 65537},
        {4096, 65536, 0, 65536},
        {100, 70'000, 69'000, 1000},
        {0, 2'000'000, 3, 262'144},
        {300, 2'000'000, 1, 1'999'999},
    };
    for (const auto &[head_bytes, file_bytes, from, asked] : cases) {
        SCOPED_TRACE(file_bytes);
        pair_of_sockets sockets;
        const auto content = pattern(file_bytes);
        const std::string head(head_bytes, 'h');
        if (head_bytes > 0) send(sockets.ours(), head, true);
        const int file = file_of(content);
        auto offset = static_cast<off_t>(from);
        asker who;
        who.takes(net->send_file(who, sockets.ours(), file, offset, asked));
        std::string got;
        while (!who.ready()) {
            loop->wait(1'000'000);
            got += sockets.read();
        }
        got += sockets.read();
        EXPECT_EQ(who.answer().value, static_cast<long>(asked));
        EXPECT_EQ(offset, static_cast<off_t>(from + asked));
        EXPECT_TRUE(got == head + content.substr(from, asked));
        ::close(file);
    }
}

TEST_F(uring_network_test, a_file_that_is_shorter_is_sent_to_its_end) {
    for (const std::size_t asked : {2000U, 262144U}) {
        pair_of_sockets sockets;
        send(sockets.ours(), "head", true);
        const int file = file_of("only this");
        off_t offset = 5;
        asker who;
        who.takes(net->send_file(who, sockets.ours(), file, offset, asked));
        until([&] { return who.ready(); });
        EXPECT_EQ(who.answer().value, 4);
        EXPECT_EQ(offset, 9);
        EXPECT_EQ(sockets.read(), "headthis");
        ::close(file);
    }
}

TEST_F(uring_network_test, a_file_that_has_ended_or_cannot_be_read) {
    pair_of_sockets sockets;
    const int file = file_of("");
    off_t offset = 0;
    asker at_end;
    at_end.takes(net->send_file(at_end, sockets.ours(), file, offset, 10));
    until([&] { return at_end.ready(); });
    EXPECT_EQ(at_end.answer().value, 0);
    ::close(file);

    const int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    asker failed;
    failed.takes(net->send_file(failed, sockets.ours(), directory, offset, 10));
    until([&] { return failed.ready(); });
    EXPECT_EQ(failed.answer().error, EISDIR);
    ::close(directory);
}

// A reader that reads nothing has no buffer: the only one serves the others meanwhile.
TEST_F(uring_network_test, slow_readers_keep_no_buffer) {
    pair_of_sockets slow;
    int size = 4096;
    setsockopt(slow.ours(), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    const auto content = pattern(60'000);
    const int file = file_of(content);
    off_t slow_offset = 0;
    asker waits;
    waits.takes(net->send_file(waits, slow.ours(), file, slow_offset, content.size()));
    turn();
    EXPECT_FALSE(waits.ready());
    for (int i = 0; i < 10; ++i) {
        pair_of_sockets fast;
        asker who;
        off_t offset = 0;
        who.takes(net->send_file(who, fast.ours(), file, offset, content.size()));
        std::string got;
        while (!who.ready()) {
            loop->wait(1'000'000);
            got += fast.read();
        }
        EXPECT_TRUE(got + fast.read() == content);
    }
    EXPECT_FALSE(waits.ready());
    waits.cancel();
    until([&] { return waits.ready(); });
    EXPECT_EQ(waits.answer().value, slow_offset);
    EXPECT_TRUE(slow.read() == content.substr(0, static_cast<std::size_t>(slow_offset)));
    ::close(file);
}

// A pipe in the place of a disk that does not answer.
TEST_F(uring_network_test, who_waits_for_a_buffer_or_for_the_disk_can_be_cancelled) {
    pair_of_sockets first;
    pair_of_sockets second;
    pair_of_sockets third;
    pipe_pair quiet;
    pipe_pair other;
    off_t offset = 0;
    asker reads;
    asker queued;
    asker follows;
    reads.takes(net->send_file(reads, first.ours(), quiet.ends[0], offset, 100));
    queued.takes(net->send_file(queued, second.ours(), quiet.ends[0], offset, 7));
    follows.takes(net->send_file(follows, third.ours(), other.ends[0], offset, 7));
    ASSERT_EQ(::write(other.ends[1], "content", 7), 7);
    turn();
    EXPECT_FALSE(reads.ready() || queued.ready() || follows.ready());
    queued.cancel();
    EXPECT_FALSE(queued.ready()); // told from the loop
    until([&] { return queued.ready(); });
    EXPECT_EQ(queued.answer().error, ECANCELED);
    reads.cancel();
    until([&] { return reads.ready() && follows.ready(); });
    EXPECT_EQ(reads.answer().error, ECANCELED);
    EXPECT_EQ(follows.answer().value, 7);
    EXPECT_EQ(third.read(), "content");
    EXPECT_EQ(first.read() + second.read(), "");
}

// Once it is seen that the disk keeps all buffers.
TEST_F(uring_network_test, what_is_in_memory_does_not_wait_for_others_disk) {
    pair_of_sockets sockets;
    pair_of_sockets hot_sockets;
    pipe_pair quiet;
    const int file = file_of("content");
    std::array<off_t, 2> stuck_offsets{};
    off_t offset = 0;
    asker reads;
    asker queued;
    reads.takes(net->send_file(reads, sockets.ends[0], quiet.ends[0], stuck_offsets[0], 100));
    queued.takes(net->send_file(queued, sockets.ends[1], quiet.ends[0], stuck_offsets[1], 100));
    for (bool at_once = false; !at_once;) {
        loop->wait(1'000'000);
        asker hot;
        offset = 0;
        const auto result = net->send_file(hot, hot_sockets.ours(), file, offset, 7);
        at_once = !result.in_background();
        if (at_once) {
            EXPECT_EQ(result.value, 7);
            EXPECT_EQ(hot_sockets.read(), "content");
        } else {
            hot.cancel();
            until([&] { return hot.ready(); });
        }
    }
    reads.cancel();
    queued.cancel();
    until([&] { return reads.ready() && queued.ready(); });
    ::close(file);
}

TEST_F(uring_network_test, a_peer_that_is_gone) {
    const int file = file_of(pattern(300'000));
    for (const std::size_t length : {1000U, 300'000U}) {
        pair_of_sockets sockets;
        ::shutdown(sockets.ends[1], SHUT_RDWR);
        off_t offset = 0;
        asker who;
        who.takes(net->send_file(who, sockets.ours(), file, offset, length));
        until([&] { return who.ready(); });
        EXPECT_EQ(who.answer().error, EPIPE);
    }
    ::close(file);
}

} // namespace
} // namespace httpd

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
