// A control group for CPU time beside or below our own, of version 1 or 2, removed with the object. Needs rights that
// an ordinary user seldom has: why_none() says what is missing. Nothing that exists is changed: on version 2 the
// controller `cpu` must be handed down already.
#pragma once

#include <string>

namespace laio::bench {

struct throttling {
    double times = 0; // periods in which the group was stopped
    double milliseconds = 0;
};

class control_group {
public:
    // Empty, or why there can be none here.
    static std::string why_none();

    explicit control_group(const std::string &name); // throws if it cannot be made
    control_group(const control_group &) = delete;
    control_group &operator=(const control_group &) = delete;
    ~control_group(); // its processes have ended

    void enter() const; // the calling process
    void set_quota(double share_of_cpu) const;
    [[nodiscard]] throttling throttled() const;

private:
    std::string folder_;
    bool is_version_2_;
};

} // namespace laio::bench
