// What fuzzers do: rounds with a seed of their own each, so that the one that fails is repeated alone, and damage to what was
// sound.
#pragma once

#include "dice.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <iostream>

namespace laio::test {

// `one_round` takes dice.
template <typename function> void run_rounds(std::uint64_t rounds_by_default, function one_round) {
    const auto seed = from_environment("LAIO_FUZZ_SEED", 20040627);
    const auto rounds = from_environment("LAIO_FUZZ_ROUNDS", rounds_by_default);
    std::cout << "seed " << seed << ", " << rounds << " rounds\n";
    for (std::uint64_t i = 0; i < rounds; ++i) {
        dice random(seed + i);
        one_round(random);
        ASSERT_FALSE(testing::Test::HasFailure()) << "repeat with LAIO_FUZZ_SEED=" << seed + i << " LAIO_FUZZ_ROUNDS=1";
    }
}

// In one to four places.
inline void damage(dice &random, std::string &text, const std::vector<std::string> &splinters) {
    for (auto times = random.below(4) + 1; times > 0; --times) {
        const auto at = random.below(text.size() + 1);
        const auto length = std::min<std::size_t>(random.below(20), text.size() - at);
        switch (random.below(6)) {
        case 0: text.insert(at, random.of(splinters)); break;
        case 1: text.erase(at, length); break;
        case 2: text.replace(at, length, random.of(splinters)); break;
        case 3: text.insert(at, text.substr(at, length)); break;
        case 4: text.resize(at); break;
        default:
            if (at < text.size())
                text[at] = random.one_in(2) ? random.byte() : static_cast<char>(text[at] ^ (1 << random.below(8)));
        }
    }
}

} // namespace laio::test
