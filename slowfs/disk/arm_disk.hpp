// A disk with one arm and a queue before it. One access is served at a time; which one is next is decided when the one before
// is finished, among those that had come by then, also when that is found out later.
// The queue is a vector that is looked through for each choice: a disk makes some hundred choices a second, and a
// sorted structure for each discipline would be more than it saves.
#pragma once

#include "arm.hpp"

#include <string_view>

namespace slowfs {

enum class discipline : std::uint8_t {
    fifo,   // in the order in which they came
    c_look, // the next one upwards; behind the last one, the lowest
    ncq,    // of the 32 that came first, the one that the arm and the platter are there for soonest
};

inline constexpr std::size_t ncq_depth = 32;

class arm_disk : public disk {
public:
    arm_disk(const arm_parameters &parameters, discipline order) : arm_(parameters), order_(order) {}

    void submit(const place &where, std::uint32_t ticket, nanoseconds at) override;
    std::optional<nanoseconds> next_finish() override;
    std::optional<finished_access> take_finished(nanoseconds by) override;
    [[nodiscard]] disk_activity activity(nanoseconds at) const override;

private:
    struct waiting {
        place where;
        std::uint32_t ticket;
        nanoseconds since;
    };
    void start_next();
    [[nodiscard]] std::size_t choose(std::size_t arrived, nanoseconds at) const;

    arm arm_;
    discipline order_;
    std::vector<waiting> queue_; // as they came
    std::optional<finished_access> served_;
    nanoseconds free_since_{0};
    nanoseconds busy_{0};
};

} // namespace slowfs
