#include "content.hpp"

#include "splitmix64.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <type_traits>

namespace replay {
namespace {

std::uint64_t fnv1a(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return hash;
}

// Word `index` as it lies in memory.
std::uint64_t word(std::uint64_t seed, std::uint64_t index) {
    const std::uint64_t z = splitmix64(seed + index * splitmix64_step);
    return std::endian::native == std::endian::little ? z : __builtin_bswap64(z);
}

// Calls `each(position in the range, bytes of a word, how many)` until it says false; whether it never did. Whole words have
// a call of their own, in which the number is a constant: the copying of eight bytes is one instruction then.
template <typename Each> bool for_words(std::uint64_t seed, std::uint64_t offset, std::size_t size, Each each) {
    const auto part = [&](std::size_t done, std::size_t count) {
        const auto bytes = std::bit_cast<std::array<std::byte, 8>>(word(seed, (offset + done) / 8));
        return each(done, bytes.data() + (offset + done) % 8, count);
    };
    std::size_t done = std::min(static_cast<std::size_t>((8 - offset % 8) % 8), size);
    if (done > 0 && !part(0, done)) return false;
    for (std::uint64_t index = (offset + done) / 8; size - done >= 8; done += 8, ++index) {
        const std::uint64_t whole = word(seed, index);
        if (!each(done, &whole, std::integral_constant<std::size_t, 8>())) return false;
    }
    return done == size || part(done, size - done);
}

} // namespace

content::content(std::string_view path) : seed_(fnv1a(path)) {}

void content::fill(std::uint64_t offset, std::span<std::byte> out) const {
    for_words(seed_, offset, out.size(), [&](std::size_t at, const void *bytes, auto count) {
        std::memcpy(out.data() + at, bytes, count);
        return true;
    });
}

bool content::matches(std::uint64_t offset, std::span<const std::byte> bytes) const {
    return for_words(seed_, offset, bytes.size(), [&](std::size_t at, const void *expected, auto count) {
        return std::memcmp(bytes.data() + at, expected, count) == 0;
    });
}

} // namespace replay
