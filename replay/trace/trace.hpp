// A trace: sequences of requests, each a path; a sequence is what one client sends from connect to close. Four bytes a
// request and sixteen a sequence beside the paths, so that three million requests take some tens of megabytes. Sequences
// are never empty. One thread at a time writes; any number read when nobody does.
#pragma once

#include "trace/paths.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace replay {

struct trace_limits {
    static constexpr std::size_t path_bytes = 8192;
    static constexpr std::size_t sequence_requests = 1'000'000;
};

// What can be sent in a request line and written in a trace: begins with '/', within the limit, no space, no control
// character.
bool is_request_path(std::string_view path);

// A view into a trace.
struct sequence {
    std::optional<std::chrono::nanoseconds> start{}; // since the trace's start; none: when a client is free
    std::span<const path_index> requests{};
};

class trace {
public:
    path_table &paths() { return paths_; }
    const path_table &paths() const { return paths_; }

    // Appends to the sequence that end_sequence() will make. False, and nothing done, if it is full.
    bool add_request(path_index path);
    bool add_request(std::string_view path) { return add_request(paths_.intern(path)); }
    // Nothing if no request was added since the last one. A start is not negative.
    void end_sequence(std::optional<std::chrono::nanoseconds> start = {});

    std::size_t sequences() const { return ends_.size(); }
    std::size_t requests() const { return ends_.empty() ? 0 : ends_.back(); }
    sequence operator[](std::size_t index) const;
    // Every sequence has a start, and there is one.
    bool timed() const { return !ends_.empty() && untimed_ == 0; }

    // All requests in the order of the sequences.
    std::span<const path_index> all_requests() const { return {requests_.data(), requests()}; }

private:
    path_table paths_;
    std::vector<path_index> requests_; // also those of the sequence that is not ended yet
    std::vector<std::uint64_t> ends_;  // where each sequence's requests end
    std::vector<std::int64_t> starts_; // ns; -1: none
    std::size_t untimed_ = 0;
};

} // namespace replay
