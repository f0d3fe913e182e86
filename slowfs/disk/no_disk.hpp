// The disk that takes no time: what is left is what the operations cost by themselves, and what FUSE does.
#pragma once

#include "disk.hpp"

#include <queue>

namespace slowfs {

class no_disk : public disk {
public:
    void submit(const place &where, std::uint32_t ticket, nanoseconds at) override {
        finished_.push({ticket, at});
        ++activity_.accesses;
        activity_.bytes += where.bytes;
    }
    std::optional<nanoseconds> next_finish() override {
        return finished_.empty() ? std::nullopt : std::optional(finished_.front().at);
    }
    std::optional<finished_access> take_finished(nanoseconds by) override {
        if (finished_.empty() || finished_.front().at > by) return std::nullopt;
        const auto done = finished_.front();
        finished_.pop();
        return done;
    }
    [[nodiscard]] disk_activity activity(nanoseconds /*at*/) const override { return activity_; }

private:
    std::queue<finished_access> finished_;
    disk_activity activity_;
};

} // namespace slowfs
