#include "disk/closer.hpp"

#include "disk/disk.hpp"

namespace httpd {

class closer::one final : public task {
public:
    explicit one(closer &owner) : owner_(owner) {}
    void completed(outcome /*result*/) override { owner_.unused_.push_back(this); }

private:
    closer &owner_;
};

closer::closer(disk &files) : files_(files) {}
closer::~closer() = default;

void closer::close(int descriptor) {
    if (unused_.empty()) {
        unused_.push_back(all_.emplace_back(std::make_unique<one>(*this)).get());
        unused_.reserve(all_.capacity()); // so that giving one back never fails
    }
    one &who = *unused_.back();
    if (files_.close(who, descriptor).in_background()) unused_.pop_back();
}

} // namespace httpd
