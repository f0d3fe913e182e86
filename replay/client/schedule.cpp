#include "client/schedule.hpp"

#include <algorithm>
#include <cmath>

namespace replay {

namespace {

std::chrono::nanoseconds seconds_rounded(double seconds) {
    // 292 years, at which a time ends, are never.
    return std::chrono::nanoseconds(static_cast<std::int64_t>(std::min(seconds * 1e9, 9.2e18)));
}

} // namespace

schedule::schedule(const trace &of, const schedule_options &options)
    : trace_(of), options_(options), random_(options.seed) {
    find_due();
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
    case pace::poisson: due_ += seconds_rounded(std::exponential_distribution(options_.per_second)(random_)); break;
    case pace::as_traced:
        due_ = std::max(due_,
                        seconds_rounded(std::chrono::duration<double>(*trace_[next_].start).count() / options_.speed));
        break;
    }
}

} // namespace replay
