#include "disk/closer.hpp"

#include "disk/disk.hpp"

namespace httpd {

class closer::one final : public task {
public:
    explicit one(closer &owner) : owner_(owner) {}
    void completed(outcome /*result*/) override { owner_.pool_.give_back(*this); }

private:
    closer &owner_;
};

closer::closer(disk &files) : files_(files) {}
closer::~closer() = default;

void closer::close(int descriptor) {
    one &who = pool_.take(*this);
    if (!files_.close(who, descriptor).in_background()) pool_.give_back(who);
}

} // namespace httpd
