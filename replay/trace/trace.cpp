#include "trace/trace.hpp"

#include <algorithm>

namespace replay {

bool is_request_path(std::string_view path) {
    return !path.empty() && path.front() == '/' && path.size() <= trace_limits::path_bytes &&
           std::ranges::none_of(path, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7f'; });
}

bool trace::add_request(path_index path) {
    if (requests_.size() - requests() >= trace_limits::sequence_requests) return false;
    requests_.push_back(path);
    return true;
}

void trace::end_sequence(std::optional<std::chrono::nanoseconds> start) {
    if (requests_.size() == requests()) return;
    ends_.push_back(requests_.size());
    starts_.push_back(start ? start->count() : -1);
    if (!start) ++untimed_;
}

sequence trace::operator[](std::size_t index) const {
    const std::uint64_t begin = index == 0 ? 0 : ends_[index - 1];
    sequence found{{}, {requests_.data() + begin, requests_.data() + ends_[index]}};
    if (starts_[index] >= 0) found.start = std::chrono::nanoseconds(starts_[index]);
    return found;
}

} // namespace replay
