// The bytes of a generated file: a function of its path and of the place in it, so that whoever verifies a body need not
// read the tree (that would warm the cache that is being measured). Word number i, of eight bytes, little-endian, is
// splitmix64's output for seed + i * 0x9e3779b97f4a7c15; the seed is FNV-1a (64 bits) of the path with its leading '/'.
// Two files share no run of bytes, and nothing is compressible. Pure; no system calls, no allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace replay {

class content {
public:
    // `path` as the list of files has it: decoded, beginning with '/'.
    explicit content(std::string_view path);

    // The bytes from `offset` on.
    void fill(std::uint64_t offset, std::span<std::byte> out) const;
    bool matches(std::uint64_t offset, std::span<const std::byte> bytes) const;

private:
    std::uint64_t seed_;
};

} // namespace replay
