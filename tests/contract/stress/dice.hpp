// The random numbers of one schedule. The same seed gives the same ones, whatever the kernel does in between.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>

namespace laio::test {

class dice {
public:
    explicit dice(std::uint64_t seed) : engine_{seed} {}
    std::size_t below(std::size_t limit) { return static_cast<std::size_t>(engine_() % limit); }
    bool one_in(std::size_t odds) { return below(odds) == 0; }

private:
    std::mt19937_64 engine_;
};

} // namespace laio::test
