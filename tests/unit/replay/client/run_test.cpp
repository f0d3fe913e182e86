#include "client/run.hpp"

#include <gtest/gtest.h>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

namespace {

using namespace std::chrono_literals;

// Connections are made, and nobody ever takes them.
class silent_server : public testing::Test {
protected:
    void SetUp() override {
        sockaddr_in any{};
        any.sin_family = AF_INET;
        any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof any;
        auto *address = reinterpret_cast<sockaddr *>(&any);
        ASSERT_GE(listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), 0);
        ASSERT_EQ(::bind(listener, address, length), 0);
        ASSERT_EQ(::listen(listener, 16), 0);
        ASSERT_EQ(::getsockname(listener, address, &length), 0);
        const replay::url where{.host = "127.0.0.1", .port = ntohs(any.sin_port)};
        server = view_of(where, resolve(where), false);
        stage.equip(server);
        asked.add_request("/");
        asked.end_sequence();
    }
    void TearDown() override { ::close(listener); }

    int listener = -1;
    replay::run stage;
    replay::server_view server;
    replay::trace asked;
};

TEST_F(silent_server, is_told_of_at_intervals_and_missed_ones_are_not_made_up_for) {
    replay::player load(server, asked, {}, {});
    std::vector<std::chrono::nanoseconds> told;
    replay::run_options how{.duration = 300ms, .tell_every = 10ms};
    how.tell = [&told](std::chrono::nanoseconds elapsed) {
        told.push_back(elapsed);
        if (told.size() == 1) std::this_thread::sleep_for(100ms); // a terminal that is slow to take the line
    };
    stage.play({&load}, how);
    ASSERT_GE(told.size(), 2U);
    for (std::size_t i = 1; i < told.size(); ++i) EXPECT_GE(told[i] - told[i - 1], 10ms);
}

TEST_F(silent_server, ends_at_a_request_to_stop) {
    replay::player load(server, asked, {}, {});
    replay::stop_request stop;
    bool is_told = false;
    replay::run_options how{.timeout = 24h, .tell_every = 24h, .stop = &stop};
    how.tell = [&is_told](std::chrono::nanoseconds) { is_told = true; };
    std::thread other([&stop] { stop.make(); });
    const auto result = stage.play({&load}, how);
    other.join();
    EXPECT_TRUE(result.interrupted);
    EXPECT_FALSE(is_told);
}

TEST(stop_request, wakes_who_waits_for_its_descriptor) {
    replay::stop_request stop;
    pollfd waiting{.fd = stop.descriptor(), .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&waiting, 1, 0), 0);
    stop.make();
    stop.make();
    EXPECT_EQ(::poll(&waiting, 1, 0), 1);
    EXPECT_TRUE(stop.is_made());
}

TEST_F(silent_server, has_a_probes_connections_before_the_start) {
    replay::player load(server, asked, {}, {});
    replay::player probe(server, asked, {.kind = replay::pace::even, .per_second = 0.001, .rounds = 0},
                         {.clients = 3, .keeps_connections = true});
    stage.play({&load, &probe}, {.duration = 1ms});
    EXPECT_EQ(probe.counts().connections, 3U); // one request was due
    EXPECT_EQ(probe.counts().connect.count(), 3U);
    EXPECT_EQ(probe.counts().unfinished, 1U);
    EXPECT_EQ(probe.counts().lag.count(), 1U);
    EXPECT_EQ(load.counts().connect.count(), 1U); // though its request never ended
    EXPECT_EQ(load.counts().lag.count(), 0U);     // a closed loop is never late
}

} // namespace
