// See ticker.hpp.
#include "ticker.hpp"

#include "harness.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <sys/timerfd.h>

namespace laio::test {

std::int64_t now_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

ticker::ticker() : clock_{timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)} {
    constexpr timespec period{0, 1'000'000};
    const itimerspec ticks{period, period};
    EXPECT_EQ(timerfd_settime(clock_.get(), 0, &ticks, nullptr), 0);
}

std::int64_t ticker::largest_gap_ns(const std::function<bool()> &is_over) {
    std::uint64_t expired = 0;
    std::int64_t largest_ns = 0;
    std::int64_t served_ns = now_ns();
    call_record *tick = begin(SYS_read, clock_.get(), &expired, sizeof expired);
    for (;;) {
        if (tick->complete) {
            const std::int64_t ns = now_ns();
            largest_ns = std::max(largest_ns, ns - served_ns);
            served_ns = ns;
            tick = begin(SYS_read, clock_.get(), &expired, sizeof expired);
        }
        if (is_over()) break;
        collect(tick->complete ? 0 : -1);
    }
    finish(tick);
    return std::max(largest_ns, now_ns() - served_ns);
}

std::int64_t ticker::largest_gap_ns(unsigned ticks) {
    const std::int64_t end_ns = now_ns() + std::int64_t{ticks} * 1'000'000;
    return largest_gap_ns([end_ns] { return now_ns() >= end_ns; });
}

std::optional<gaps> best_of(const std::function<gaps()> &measure) {
    constexpr unsigned attempts = 12;
    const auto share = [](const gaps &of) {
        return static_cast<double>(of.beside_ns) / static_cast<double>(of.allowed_ns());
    };
    const bool has_failed = ::testing::Test::HasFailure(); // before
    std::optional<gaps> best;
    for (unsigned attempt = 0; attempt < attempts; ++attempt) {
        const gaps found = measure();
        if (!has_failed && ::testing::Test::HasFailure()) return found;
        if (!found.is_telling()) continue;
        if (!best || share(found) < share(*best)) best = found;
        if (best->is_good()) break;
    }
    return best;
}

void print_head(bool has_plain) {
    std::printf("%-20s %8s %8s %8s%s  blocked\n", "largest gap in ms", "alone", "beside", "allowed",
                has_plain ? "    plain" : "");
}

bool expect_good(const char *name, const std::optional<gaps> &found, std::size_t calls, std::int64_t plain_ns) {
    const auto in_ms = [](std::int64_t ns) { return static_cast<double>(ns) / 1e6; };
    if (!found) {
        std::printf("%-20s the clock alone was kept waiting too long, each time\n", name);
        return false;
    }
    std::printf("%-20s %8.2f %8.2f %8.2f", name, in_ms(found->alone_ns), in_ms(found->beside_ns),
                in_ms(found->allowed_ns()));
    if (plain_ns != 0) std::printf(" %8.2f", in_ms(plain_ns));
    std::printf(" %5u/%zu\n", found->blocked, calls);
    std::fflush(stdout);
    EXPECT_LE(found->beside_ns, found->allowed_ns()) << name;
    EXPECT_EQ(found->blocked, calls) << name;
    return true;
}

} // namespace laio::test
