#include "timetable.hpp"

namespace slowfs {

void timetable::begin(std::uint32_t ticket, const work &what, nanoseconds at) {
    requests_.change(1, at);
    if (what.price.accesses == 0) {
        delays_.push({ticket, at + what.price.delay});
        return;
    }
    if (works_.size() <= ticket) works_.resize(ticket + std::size_t{1});
    works_[ticket] = what;
    submit(ticket, at);
}

void timetable::submit(std::uint32_t ticket, nanoseconds at) {
    work &what = works_[ticket];
    const auto left = --what.price.accesses;
    accesses_.change(1, at);
    disk_.submit(left == 0 ? what.last : what.metadata[left % 2], ticket, at);
}

// Nothing, if it was not the request's last one.
std::optional<answer> timetable::finish_access(nanoseconds by) {
    const auto done = disk_.take_finished(by);
    if (!done) return std::nullopt;
    accesses_.change(-1, done->at);
    if (works_[done->ticket].price.accesses == 0) return answer{done->ticket, done->at};
    submit(done->ticket, done->at);
    return std::nullopt;
}

std::optional<nanoseconds> timetable::next_event() {
    const auto of_disk = disk_.next_finish();
    if (delays_.empty()) return of_disk;
    return of_disk ? std::min(*of_disk, delays_.top().due) : delays_.top().due;
}

std::optional<answer> timetable::take_due(nanoseconds by) {
    for (;;) {
        const auto of_disk = disk_.next_finish();
        std::optional<answer> found;
        if (!delays_.empty() && delays_.top().due <= by && (!of_disk || delays_.top().due <= *of_disk)) {
            found = delays_.top();
            delays_.pop();
        } else if (of_disk && *of_disk <= by) {
            found = finish_access(by);
        } else {
            return std::nullopt;
        }
        if (!found) continue;
        requests_.change(-1, found->due);
        return found;
    }
}

} // namespace slowfs
