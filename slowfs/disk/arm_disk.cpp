#include "arm_disk.hpp"

#include <algorithm>

namespace slowfs {

void arm_disk::submit(const place &where, std::uint32_t ticket, nanoseconds at) {
    queue_.push_back({where, ticket, at});
}

// Which of the first `arrived` ones.
std::size_t arm_disk::choose(std::size_t arrived, nanoseconds at) const {
    const auto first = queue_.begin();
    const auto last = first + static_cast<std::ptrdiff_t>(arrived);
    const auto least = [&](auto end, auto key) {
        const auto less = [&key](const waiting &a, const waiting &b) { return key(a) < key(b); };
        return static_cast<std::size_t>(std::min_element(first, end, less) - first);
    };
    switch (order_) {
    case discipline::c_look:
        // Subtracting wraps around: what is behind the arm comes after all that is before it.
        return least(last, [this](const waiting &one) { return one.where.address - arm_.position(); });
    case discipline::ncq:
        return least(first + static_cast<std::ptrdiff_t>(std::min(arrived, ncq_depth)),
                     [&](const waiting &one) { return arm_.positioning(one.where, at); });
    case discipline::fifo: break;
    }
    return 0;
}

void arm_disk::start_next() {
    if (served_ || queue_.empty()) return;
    const auto at = std::max(free_since_, queue_.front().since);
    const auto later = std::find_if(queue_.begin(), queue_.end(), [at](const waiting &one) { return one.since > at; });
    const auto chosen = choose(static_cast<std::size_t>(later - queue_.begin()), at);
    const waiting next = queue_[chosen];
    queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(chosen));
    const auto takes = arm_.serve(next.where, at);
    busy_ += takes;
    served_ = finished_access{next.ticket, at + takes};
}

std::optional<nanoseconds> arm_disk::next_finish() {
    start_next();
    return served_ ? std::optional(served_->at) : std::nullopt;
}

std::optional<finished_access> arm_disk::take_finished(nanoseconds by) {
    start_next();
    if (!served_ || served_->at > by) return std::nullopt;
    const finished_access done = *served_;
    free_since_ = done.at;
    served_.reset();
    return done;
}

disk_activity arm_disk::activity(nanoseconds at) const {
    auto counted = arm_.activity();
    counted.busy = {busy_ - (served_ ? std::max(nanoseconds::zero(), served_->at - at) : nanoseconds::zero())};
    return counted;
}

} // namespace slowfs
