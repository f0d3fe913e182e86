// A loop that does nothing but serve a clock which ticks every millisecond, and how long it was kept from that.
//
// The clock is a timerfd(2) read through laio_syscall(): it goes on by itself, so a loop that stands still cannot move the
// next tick, as it could a time-out of laio_poll(); and it is read in the same way with and without other calls, so the two
// gaps differ by those calls only.
#pragma once

#include "resources.hpp"

#include <cstdint>
#include <functional>
#include <optional>

namespace laio::test {

class ticker {
public:
    ticker();

    // Serves the clock until is_over() says so, which is asked once in each turn of the loop and may make calls. The longest
    // time between two ticks that were served.
    std::int64_t largest_gap_ns(const std::function<bool()> &is_over);

    // With nothing else to do, for `ticks`.
    std::int64_t largest_gap_ns(unsigned ticks);

private:
    descriptor clock_;
};

std::int64_t now_ns();

// How long calls are to block in these tests.
inline constexpr std::uint32_t slow_ms = 100;
inline constexpr std::int64_t slow_ns = std::int64_t{slow_ms} * 1'000'000;

// The rule: beside blocking calls the largest gap is at most three times what it is without them, and 3 ms.
struct gaps {
    std::int64_t alone_ns; // of the ticker without other calls
    std::int64_t beside_ns;
    unsigned blocked; // how many of the calls did

    [[nodiscard]] std::int64_t allowed_ns() const { return 3 * alone_ns + 3'000'000; }
    [[nodiscard]] bool is_good() const { return beside_ns <= allowed_ns(); }
    // A loop that stands still for a whole call would not pass.
    [[nodiscard]] bool is_telling() const { return allowed_ns() < slow_ns; }
};

// The machine may be busy with other things: measures again, a dozen times, until the rule holds. The best attempt of those
// that were telling, or nothing when none was.
std::optional<gaps> best_of(const std::function<gaps()> &measure);

// A line of a table, under a head: in ms. False: `found` is nothing. The test fails if the rule does not hold or not all of
// `calls` blocked.
bool expect_good(const char *name, const std::optional<gaps> &found, std::size_t calls, std::int64_t plain_ns = 0);
void print_head(bool has_plain = false);

} // namespace laio::test
