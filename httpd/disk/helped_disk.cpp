#include "disk/helped_disk.hpp"

#include "disk/residency.hpp"
#include "loop/libevent_multiplexer.hpp"

#include <event2/event.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace httpd {
namespace {

// Then the bytes are sent as they are: memory is so short that they do not stay until they are looked for.
constexpr int reads_max = 4;

} // namespace

// A task that waits for an errand.
class helped_disk::customer final : public background_work, public joined_waiter<errand_result> {
public:
    explicit customer(helped_disk &owner) : owner_(owner) {}

    outcome wait_for(task &who, errand what, void *place) {
        what_ = std::move(what);
        place_ = place;
        reads_ = 1;
        owner_.join(*this);
        return begin(who);
    }

    void cancel() override {}

    void delivered(const errand_result &result) override {
        outcome mine{result.value, result.error};
        if (!mine.failed()) mine = take(result);
        if (mine.in_background()) return;
        owner_.customers_.give_back(*this);
        finish(mine);
    }

    const errand &what() const { return what_; }

private:
    outcome take(const errand_result &result) {
        switch (what_.order.what) {
        case errand_kind::status: *static_cast<struct stat *>(place_) = result.status; break;
        case errand_kind::open: return take_file(result);
        case errand_kind::read: return look();
        }
        return {result.value, result.error};
    }

    // Everybody has a descriptor of his own; the one that came is closed when all have.
    outcome take_file(const errand_result &result) {
        auto &file = *static_cast<opened_file *>(place_);
        file.descriptor = ::fcntl(static_cast<int>(result.value), F_DUPFD_CLOEXEC, 0);
        if (file.descriptor < 0) return outcome::failure(errno);
        file.status = result.status;
        return {};
    }

    outcome look() {
        const auto &[what, offset, length] = what_.order;
        const auto found = look_again(what_.file, offset, length);
        if (found.bytes > 0) return {static_cast<long>(found.bytes), 0};
        if (found.how == certainty::unknown || reads_++ == reads_max) return {static_cast<long>(length), 0};
        owner_.join(*this);
        return outcome::later();
    }

    helped_disk &owner_;
    errand what_{};
    void *place_ = nullptr; // for what the errand finds
    int reads_ = 0;         // of the same bytes
};

helped_disk::helped_disk(libevent_multiplexer &loop, int root) : loop_(loop), root_(root) {
    event_assign(
        &refused_event_, loop.base(), -1, 0,
        [](evutil_socket_t, short, void *self) { static_cast<helped_disk *>(self)->tell_refused(); }, this);
}

helped_disk::~helped_disk() { event_del(&refused_event_); }

outcome helped_disk::status(task &who, const char *name, struct stat &status) {
    return ask(who, {{errand_kind::status}, name}, &status);
}

outcome helped_disk::open(task &who, const char *name, opened_file &file) {
    return ask(who, {{errand_kind::open}, name}, &file);
}

// Where it is only likely that the bytes are there, some may still be under read. Then this is an errand of ours, for on such
// a file system nothing is read beyond what it is told.
outcome helped_disk::bring_in(task &who, int file, off_t offset, std::uint64_t length) {
    length = std::min(length, residency_bytes_max);
    const auto found = look_for(file, offset, length);
    const bool can_be_sent = found.how == certainty::known || !being_read_.contains(file);
    if (found.bytes > 0 && can_be_sent) return {static_cast<long>(found.bytes), 0};
    return ask(who, {{errand_kind::read, offset, length}, {}, file}, nullptr);
}

// No version with helpers serves from mappings; a process could not touch ours.
outcome helped_disk::bring_in(task & /*who*/, const void * /*address*/, std::size_t length) {
    return {static_cast<long>(length), 0};
}

outcome helped_disk::close(task & /*who*/, int file) { return outcome::of_library(::close(file)); }

outcome helped_disk::ask(task &who, errand what, void *place) {
    return customers_.take(*this).wait_for(who, std::move(what), place);
}

void helped_disk::join(customer &which) {
    if (!errands_.join(which.what(), which)) return;
    if (which.what().order.what == errand_kind::read) being_read_.insert(which.what().file);
    send(which.what());
}

void helped_disk::returned(const errand &what, const errand_result &result) {
    if (what.order.what == errand_kind::read) being_read_.erase(being_read_.find(what.file));
    errands_.deliver(what, result);
    if (what.order.what == errand_kind::open && result.value >= 0) ::close(static_cast<int>(result.value));
}

void helped_disk::refused(errand what, int error) {
    refused_.emplace_back(std::move(what), error);
    event_active(&refused_event_, EV_TIMEOUT, 0);
}

void helped_disk::tell_refused() {
    loop_.woke();
    for (const auto &[what, error] : std::exchange(refused_, {})) returned(what, errand_result::failure(error));
}

} // namespace httpd
