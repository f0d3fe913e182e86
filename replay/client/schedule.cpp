#include "client/schedule.hpp"

#include <algorithm>
#include <cmath>

namespace replay {

namespace {

// 126 years. Twice as long, and a time of the clock more, still are times.
constexpr std::chrono::nanoseconds never{4'000'000'000'000'000'000};

std::chrono::nanoseconds seconds_rounded(double seconds) {
    const double ns = seconds * 1e9;
    return ns < static_cast<double>(never.count()) ? std::chrono::nanoseconds(static_cast<std::int64_t>(ns)) : never;
}

} // namespace

schedule::schedule(const trace &of, const schedule_options &options)
    : trace_(of), options_(options), random_(options.seed) {
    find_due();
}

std::uint64_t schedule::sequences() const {
    std::uint64_t product = 0;
    if (__builtin_mul_overflow(options_.rounds, trace_.sequences(), &product)) return 0;
    return product;
}

sequence schedule::take() {
    const auto taken = trace_[next_];
    ++taken_;
    if (++next_ == trace_.sequences()) {
        next_ = 0;
        ++round_;
    }
    if (!over()) find_due();
    return taken;
}

void schedule::find_due() {
    switch (options_.kind) {
    case pace::closed_loop: break;
    case pace::even: // from the beginning each time: no error adds up
        due_ = seconds_rounded(static_cast<double>(taken_) / options_.per_second);
        break;
    case pace::poisson:
        due_ = std::min(due_ + seconds_rounded(std::exponential_distribution(options_.per_second)(random_)), never);
        break;
    case pace::as_traced:
        due_ = std::max(due_,
                        seconds_rounded(std::chrono::duration<double>(*trace_[next_].start).count() / options_.speed));
        break;
    }
}

} // namespace replay
