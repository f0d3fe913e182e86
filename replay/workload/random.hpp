// Random numbers that are the same on every machine: splitmix64, and what is made of it here. The distributions of the
// standard library lost: what they make of an engine's numbers is left to each implementation.
#pragma once

#include "splitmix64.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace replay {

class random_numbers {
public:
    // Each purpose has numbers of its own, so that a change in how many one takes leaves the others alone.
    random_numbers(std::uint64_t seed, std::uint64_t purpose) : state_(seed * 0xd1342543de82ef95 + purpose) { next(); }

    std::uint64_t next() { return splitmix64(state_ += splitmix64_step); }

    // Below `limit`, which is at most 2^32. What is less likely is so by limit / 2^32 at most: a thousandth for millions.
    std::uint64_t below(std::uint64_t limit) { return (next() >> 32) * limit >> 32; }

    // In (0, 1): never either end.
    double unit() { return (static_cast<double>(next() >> 12) + 0.5) * 0x1p-52; }

    template <typename Value> void shuffle(std::span<Value> values) {
        for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(i)]);
    }

private:
    std::uint64_t state_;
};

} // namespace replay
