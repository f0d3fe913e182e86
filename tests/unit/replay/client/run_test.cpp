#include "client/run.hpp"

#include <gtest/gtest.h>

#include <netinet/in.h>
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
        server = replay::view_of({.host = "127.0.0.1", .port = ntohs(any.sin_port)}, false);
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

} // namespace
