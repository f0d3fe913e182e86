#include "content.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace {

using replay::content;

std::vector<std::byte> bytes(const char *path, std::uint64_t offset, std::size_t size) {
    std::vector<std::byte> made(size);
    content(path).fill(offset, made);
    return made;
}

// Worked out by another program from the definition: laio-slowfs and others rely on it.
TEST(content, is_what_its_definition_says) {
    constexpr std::array<unsigned char, 20> expected = {0x5f, 0x07, 0xda, 0x74, 0x83, 0x00, 0x6b, 0xcf, 0xc2, 0xa4,
                                                        0x29, 0xbc, 0x17, 0xb9, 0xb7, 0x77, 0xc9, 0x80, 0xfd, 0x10};
    const auto made = bytes("/a/b", 3, expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(std::to_integer<int>(made[i]), expected[i]) << i;
}

TEST(content, is_the_same_in_any_pieces) {
    const auto whole = bytes("/x", 0, 64);
    for (std::size_t offset = 0; offset < 24; ++offset)
        for (std::size_t size = 0; size < 40; ++size)
            EXPECT_EQ(bytes("/x", offset, size), std::vector(&whole[offset], &whole[offset] + size));
}

TEST(content, sees_each_wrong_byte) {
    for (std::size_t offset = 0; offset < 9; ++offset) {
        auto made = bytes("/x", offset, 40);
        EXPECT_TRUE(content("/x").matches(offset, made));
        EXPECT_FALSE(content("/y").matches(offset, made));
        EXPECT_FALSE(content("/x").matches(offset + 1, made));
        for (auto &byte : made) {
            byte ^= std::byte{1};
            EXPECT_FALSE(content("/x").matches(offset, made));
            byte ^= std::byte{1};
        }
    }
    EXPECT_TRUE(content("/x").matches(7, {}));
}

} // namespace
