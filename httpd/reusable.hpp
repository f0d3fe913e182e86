// Objects that are used again: made when none is free, and kept until the owner ends. They stay where they are, so that
// others may point to them. One thread.
#pragma once

#include <memory>
#include <vector>

namespace httpd {

template <typename kind> class reusable {
public:
    template <typename... arguments> kind &take(arguments &&...args) {
        if (unused_.empty()) {
            unused_.push_back(all_.emplace_back(std::make_unique<kind>(args...)).get());
            unused_.reserve(all_.capacity()); // so that giving one back never fails
        }
        kind &one = *unused_.back();
        unused_.pop_back();
        return one;
    }
    void give_back(kind &one) { unused_.push_back(&one); }

    // They are never freed: somebody may still write there.
    void leak() {
        for (auto &one : all_) static_cast<void>(one.release());
    }

private:
    std::vector<std::unique_ptr<kind>> all_;
    std::vector<kind *> unused_;
};

} // namespace httpd
