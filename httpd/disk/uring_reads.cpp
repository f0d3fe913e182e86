#include "disk/uring_reads.hpp"

#include "disk/residency.hpp"
#include "loop/uring.hpp"

#include <boost/container_hash/hash.hpp>

#include <algorithm>

namespace httpd {
namespace {

// Then the bytes are sent as they are: memory is so short that they do not stay until they are looked for.
constexpr int reads_max = 4;

} // namespace

std::size_t uring_reads::range_hash::operator()(const range &one) const {
    std::size_t seed = 0;
    boost::hash_combine(seed, one.file);
    boost::hash_combine(seed, one.offset);
    boost::hash_combine(seed, one.length);
    return seed;
}

// A task that waits for a range.
class uring_reads::customer final : public background_work, public joined_waiter<outcome> {
public:
    explicit customer(uring_reads &owner) : owner_(owner) {}

    outcome wait_for(task &who, const range &what) {
        what_ = what;
        reads_ = 1;
        owner_.join(*this);
        return begin(who);
    }
    void cancel() override {}
    const range &what() const { return what_; }

    void delivered(const outcome &result) override {
        const auto mine = result.failed() ? result : look();
        if (mine.in_background()) return;
        owner_.customers_.give_back(*this);
        finish(mine);
    }

private:
    outcome look() {
        const auto found = look_again(what_.file, what_.offset, what_.length);
        if (found.bytes > 0) return {static_cast<long>(found.bytes), 0};
        if (found.how == certainty::unknown || reads_++ == reads_max) return {static_cast<long>(what_.length), 0};
        owner_.join(*this);
        return outcome::later();
    }

    uring_reads &owner_;
    range what_{};
    int reads_ = 0; // of the same bytes
};

class uring_reads::read final : public uring_client {
public:
    explicit read(uring_reads &owner) : owner_(owner) {}

    void begin(const range &what) {
        what_ = what;
        owner_.ring_.add(*this, 0, [&](auto &entry) {
            io_uring_prep_read(&entry, what.file, owner_.nowhere_.get(), static_cast<unsigned>(what.length),
                               static_cast<std::uint64_t>(what.offset));
        });
    }
    void completed(unsigned /*which*/, int result) override { owner_.returned(*this, result); }
    const range &what() const { return what_; }

private:
    uring_reads &owner_;
    range what_{};
};

uring_reads::uring_reads(uring &ring, unsigned most) : ring_(ring), nowhere_(new char[residency_bytes_max]) {
    for (unsigned i = 0; i < most; ++i) {
        reads_.push_back(std::make_unique<read>(*this));
        unused_reads_.push_back(reads_.back().get());
    }
}

uring_reads::~uring_reads() {
    if (ring_.end()) return;
    static_cast<void>(nowhere_.release()); // the kernel may still write there
}

// Where it is only likely that the bytes are there, some may still be under read; then that is a read of ours, for on such a
// file system nothing is read beyond what it is told.
outcome uring_reads::bring_in(task &who, int file, off_t offset, std::uint64_t length) {
    length = std::min(length, residency_bytes_max);
    const auto found = look_for(file, offset, length);
    const bool can_be_sent = found.how == certainty::known || !being_read_.contains(file);
    if (found.bytes > 0 && can_be_sent) return {static_cast<long>(found.bytes), 0};
    return customers_.take(*this).wait_for(who, {file, offset, length});
}

void uring_reads::join(customer &which) {
    const range &what = which.what();
    if (!joined_.join(what, which)) return;
    being_read_.insert(what.file);
    read_no_more_than_told(what.file);
    if (unused_reads_.empty()) {
        queue_.push_back(what);
        return;
    }
    unused_reads_.back()->begin(what);
    unused_reads_.pop_back();
}

void uring_reads::returned(read &which, int result) {
    const range what = which.what();
    being_read_.erase(being_read_.find(what.file));
    if (queue_.empty()) {
        unused_reads_.push_back(&which);
    } else {
        which.begin(queue_.front());
        queue_.pop_front();
    }
    joined_.deliver(what, outcome::of_kernel(result));
}

} // namespace httpd
