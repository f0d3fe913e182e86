// splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014): what a state gives; the next state is
// so much further on.
#pragma once

#include <cstdint>

namespace replay {

inline constexpr std::uint64_t splitmix64_step = 0x9e3779b97f4a7c15;

constexpr std::uint64_t splitmix64(std::uint64_t state) {
    state = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9;
    state = (state ^ (state >> 27)) * 0x94d049bb133111eb;
    return state ^ (state >> 31);
}

} // namespace replay
