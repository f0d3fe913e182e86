#include "byte_ring.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace httpd {
namespace {

std::string take_front(byte_ring &ring) {
    const auto bytes = ring.front();
    std::string text(bytes.begin(), bytes.end());
    ring.pop(bytes.size());
    return text;
}

TEST(byte_ring, gives_what_it_took) {
    byte_ring ring(8);
    EXPECT_TRUE(ring.front().empty());
    EXPECT_TRUE(ring.push("abc"));
    EXPECT_TRUE(ring.push("de"));
    EXPECT_EQ(take_front(ring), "abcde");
    EXPECT_TRUE(ring.front().empty());
}

TEST(byte_ring, takes_all_or_nothing) {
    byte_ring ring(5); // 8
    EXPECT_EQ(ring.capacity(), 8U);
    EXPECT_TRUE(ring.push("abcde"));
    EXPECT_FALSE(ring.push("fghi"));
    EXPECT_TRUE(ring.push("fgh"));
    EXPECT_FALSE(ring.push("i"));
    EXPECT_TRUE(ring.push(""));
    EXPECT_EQ(ring.pushed(), 8U);
    EXPECT_EQ(take_front(ring), "abcdefgh");
}

TEST(byte_ring, goes_round) {
    byte_ring ring(8);
    EXPECT_TRUE(ring.push("abcde"));
    ring.pop(4);
    EXPECT_TRUE(ring.push("fghijkl"));
    EXPECT_FALSE(ring.push("m"));
    EXPECT_EQ(take_front(ring), "efgh");
    EXPECT_EQ(take_front(ring), "ijkl");
    EXPECT_TRUE(ring.front().empty());
}

TEST(byte_ring, carries_bytes_from_thread_to_thread) {
    constexpr std::size_t total = 1 << 20;
    byte_ring ring(64);
    std::thread producer([&ring] {
        std::string piece;
        for (std::size_t sent = 0; sent < total; sent += piece.size()) {
            piece.clear();
            for (auto length = std::min(sent % 23 + 1, total - sent); length > 0; --length)
                piece += static_cast<char>((sent + piece.size()) % 251);
            while (!ring.push(piece)) std::this_thread::yield();
        }
    });
    std::size_t received = 0;
    bool all_right = true;
    while (received < total) {
        const auto bytes = ring.front();
        if (bytes.empty()) std::this_thread::yield();
        for (const char byte : bytes) all_right = byte == static_cast<char>(received++ % 251) && all_right;
        ring.pop(bytes.size());
    }
    producer.join();
    EXPECT_TRUE(all_right);
    EXPECT_TRUE(ring.front().empty());
}

} // namespace
} // namespace httpd
