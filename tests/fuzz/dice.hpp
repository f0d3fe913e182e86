// What the fuzzers throw: seeded random choices, and the environment that repeats a run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

namespace laio::test {

inline std::uint64_t from_environment(const char *name, std::uint64_t otherwise) {
    const char *text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class dice {
public:
    explicit dice(std::uint64_t seed) : engine_(seed) {}

    std::size_t below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>(0, limit - 1)(engine_); }
    bool one_in(std::size_t n) { return below(n) == 0; }
    char byte() { return static_cast<char>(below(256)); }
    const std::string &of(const std::vector<std::string> &choices) { return choices[below(choices.size())]; }

private:
    std::mt19937_64 engine_;
};

} // namespace laio::test
