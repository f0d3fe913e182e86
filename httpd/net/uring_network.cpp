#include "net/uring_network.hpp"

#include "disk/residency.hpp"
#include "loop/multiplexer.hpp"
#include "loop/uring.hpp"

#include <boost/intrusive/list.hpp>

#include <poll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace httpd {
namespace {

constexpr std::size_t kept_head_bytes = 4096;
constexpr std::int64_t late_ns = 10'000'000; // more than a turn
constexpr std::size_t buffer_bytes = kept_head_bytes + uring_network::through_ring_bytes_max;

using buffer = std::unique_ptr<char[]>; // NOLINT(modernize-avoid-c-arrays)

bool is_in_memory(int file, off_t offset, std::uint64_t length) {
    const auto found = look_for(file, offset, length);
    return found.how == certainty::known && found.bytes >= length;
}

} // namespace

// What is under way on a socket.
class uring_network::transfer final : public background_work, public uring_client {
public:
    transfer(uring &ring, buffer_pool &buffers, int socket) : ring_(ring), buffers_(buffers), socket_(socket) {}

    outcome accept(task &who) {
        ring_.add(*this, whole, [&](auto &entry) {
            io_uring_prep_accept(&entry, socket_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        });
        return begin_with(who, whole);
    }
    outcome receive(task &who, std::span<char> room) {
        ring_.add(*this, whole, [&](auto &entry) { io_uring_prep_recv(&entry, socket_, room.data(), room.size(), 0); });
        return begin_with(who, whole);
    }
    outcome send(task &who, std::span<const iovec> parts, bool more);
    outcome send_file(task &who, int file, off_t &offset, std::uint64_t length);
    void forget_kept() { kept_.clear(); }

    void cancel() override;
    void completed(unsigned which, int result) override;

private:
    friend class uring_network::buffer_pool;
    // What it has in the ring.
    enum request : unsigned {
        whole,      // what was asked for is one request
        reading,    // of a file, linked to ...
        sending,    // ... this, which never waits
        room_to_be, // in the socket's buffer
        cancelled,  // nothing: who gave up waiting for a buffer is told from the loop
    };

    outcome begin_with(task &who, request awaited) {
        awaited_ = awaited;
        cancelled_ = false;
        return begin(who);
    }

    outcome attempt_sendfile();
    void read_and_send(buffer space); // its turn has come
    void add_send();
    void sent_after_read(int result);
    void add_wait_for_room();
    void go_on_with_room();
    outcome file_sent_or(int error) const;

    uring &ring_;
    buffer_pool &buffers_;
    int socket_;
    request awaited_ = whole;
    bool cancelled_ = false;
    std::string kept_; // a head that goes with what follows it
    std::array<iovec, 3> parts_{};
    msghdr message_{};

    // The file that is sent
    int file_ = -1;
    off_t *offset_ = nullptr;
    std::size_t bytes_left_ = 0;
    std::size_t bytes_sent_ = 0;
    bool through_ring_ = false;
    buffer space_; // the head, if it is still here, and what of the file was read
    int read_result_ = 0;
    boost::intrusive::list_member_hook<> queue_hook_;
    std::int64_t queued_ns_ = 0;
};

// Buffers, and who waits for one, in order.
class uring_network::buffer_pool {
public:
    explicit buffer_pool(unsigned most) : left_to_make_(most) { unused_.reserve(most); }

    void take_for(transfer &who) {
        if (!unused_.empty() || left_to_make_ > 0) {
            who.read_and_send(take());
        } else {
            who.queued_ns_ = monotonic_ns();
            waiting_.push_back(who);
        }
    }
    void give_back(buffer one) {
        unused_.push_back(std::move(one));
        if (waiting_.empty()) return;
        transfer &who = waiting_.front();
        waiting_.pop_front();
        who.read_and_send(take());
    }
    // It is not the turn's other requests that have them, but the disk.
    bool are_late() const { return !waiting_.empty() && monotonic_ns() - waiting_.front().queued_ns_ > late_ns; }
    void leave(transfer &who) { waiting_.erase(waiting_.iterator_to(who)); }

private:
    using hook = boost::intrusive::list_member_hook<>;

    // The one used last is still in the processor's cache.
    buffer take() {
        if (unused_.empty()) {
            --left_to_make_;
            return buffer(new char[buffer_bytes]);
        }
        buffer last = std::move(unused_.back());
        unused_.pop_back();
        return last;
    }

    unsigned left_to_make_;
    std::vector<buffer> unused_;
    boost::intrusive::list<transfer, boost::intrusive::member_hook<transfer, hook, &transfer::queue_hook_>> waiting_;
};

// With MSG_WAITALL the kernel goes on by itself until all of it has gone.
outcome uring_network::transfer::send(task &who, std::span<const iovec> parts, bool more) {
    const auto &[bytes, length] = parts.front();
    if (more && kept_.size() + length <= kept_head_bytes) {
        kept_.append(static_cast<const char *>(bytes), length);
        return {static_cast<long>(length), 0};
    }
    parts_[0] = {kept_.data(), kept_.size()};
    std::copy(parts.begin(), parts.end(), parts_.begin() + 1);
    message_.msg_iov = parts_.data();
    message_.msg_iovlen = parts.size() + 1;
    const unsigned flags = MSG_NOSIGNAL | MSG_WAITALL | (more ? MSG_MORE : 0);
    ring_.add(*this, whole, [&](auto &entry) { io_uring_prep_sendmsg(&entry, socket_, &message_, flags); });
    return begin_with(who, whole);
}

outcome uring_network::transfer::send_file(task &who, int file, off_t &offset, std::uint64_t length) {
    file_ = file;
    offset_ = &offset;
    bytes_left_ = length;
    bytes_sent_ = 0;
    through_ring_ = length <= through_ring_bytes_max && !(buffers_.are_late() && is_in_memory(file, offset, length));
    if (through_ring_) {
        const auto later = begin_with(who, reading);
        buffers_.take_for(*this);
        return later;
    }
    const auto result = attempt_sendfile();
    if (result.error != EAGAIN) return result;
    add_wait_for_room();
    return begin_with(who, room_to_be);
}

void uring_network::transfer::read_and_send(buffer space) {
    awaited_ = reading;
    space_ = std::move(space);
    std::memcpy(space_.get(), kept_.data(), kept_.size());
    ring_.keep_together(2);
    ring_.add(*this, reading, [&](auto &entry) {
        io_uring_prep_read(&entry, file_, space_.get() + kept_.size(), static_cast<unsigned>(bytes_left_),
                           static_cast<std::uint64_t>(*offset_));
        entry.flags |= IOSQE_IO_LINK;
    });
    add_send();
}

// What the socket has no room for now is not waited for with a buffer in hand.
void uring_network::transfer::add_send() {
    ring_.add(*this, sending, [&](auto &entry) {
        io_uring_prep_send(&entry, socket_, space_.get(), kept_.size() + bytes_left_, MSG_NOSIGNAL | MSG_DONTWAIT);
    });
}

void uring_network::transfer::add_wait_for_room() {
    ring_.add(*this, room_to_be, [&](auto &entry) { io_uring_prep_poll_add(&entry, socket_, POLLOUT); });
}

void uring_network::transfer::completed(unsigned which, int result) {
    switch (which) {
    case whole:
        if (result > 0) result -= static_cast<int>(std::min(kept_.size(), static_cast<std::size_t>(result)));
        kept_.clear();
        finish(outcome::of_kernel(result));
        return;
    case reading: read_result_ = result; return;
    case sending: sent_after_read(result); return;
    case room_to_be:
        if (result < 0) finish(file_sent_or(-result));
        else go_on_with_room();
        return;
    default: finish(file_sent_or(ECANCELED)); return;
    }
}

void uring_network::transfer::sent_after_read(int result) {
    if (result == -ECANCELED && !cancelled_) {
        // The file has ended sooner than it should, or cannot be read: the link was broken, and what there is goes alone.
        bytes_left_ = static_cast<std::size_t>(std::max(read_result_, 0));
        add_send();
        return;
    }
    auto sent = static_cast<std::size_t>(std::max(result, 0));
    const auto of_head = std::min(sent, kept_.size());
    kept_.erase(0, of_head);
    sent -= of_head;
    *offset_ += static_cast<off_t>(sent);
    bytes_sent_ += sent;
    bytes_left_ -= sent;
    buffers_.give_back(std::move(space_));

    if (result < 0 && result != -EAGAIN) {
        finish(file_sent_or(-result));
    } else if (bytes_left_ == 0) {
        finish(file_sent_or(read_result_ < 0 ? -read_result_ : 0));
    } else if (cancelled_) {
        finish(file_sent_or(ECANCELED));
    } else {
        awaited_ = room_to_be;
        add_wait_for_room();
    }
}

void uring_network::transfer::go_on_with_room() {
    if (through_ring_) {
        buffers_.take_for(*this);
        return;
    }
    const auto result = attempt_sendfile();
    if (result.error == EAGAIN) add_wait_for_room();
    else finish(result);
}

outcome uring_network::transfer::attempt_sendfile() {
    while (!kept_.empty()) {
        const auto length = ::send(socket_, kept_.data(), kept_.size(), MSG_NOSIGNAL | MSG_MORE);
        if (length < 0) return outcome::failure(errno);
        kept_.erase(0, static_cast<std::size_t>(length));
    }
    while (bytes_left_ > 0) {
        const auto length = ::sendfile(socket_, file_, offset_, bytes_left_);
        if (length < 0) return errno == EAGAIN ? outcome::failure(EAGAIN) : file_sent_or(errno);
        if (length == 0) break;
        bytes_sent_ += static_cast<std::size_t>(length);
        bytes_left_ -= static_cast<std::size_t>(length);
    }
    return file_sent_or(0);
}

outcome uring_network::transfer::file_sent_or(int error) const {
    return error != 0 && bytes_sent_ == 0 ? outcome::failure(error) : outcome{static_cast<long>(bytes_sent_), 0};
}

void uring_network::transfer::cancel() {
    cancelled_ = true;
    if (queue_hook_.is_linked()) {
        buffers_.leave(*this);
        ring_.add(*this, cancelled, [](auto &entry) { io_uring_prep_nop(&entry); });
    } else {
        ring_.cancel(*this, awaited_);
    }
}

uring_network::uring_network(uring &ring, unsigned reads_max)
    : ring_(ring), buffers_(std::make_unique<buffer_pool>(reads_max)) {}

uring_network::~uring_network() {
    if (ring_.end()) return;
    for (auto &one : transfers_) static_cast<void>(one.release()); // the kernel may still write to their buffers
}

uring_network::transfer &uring_network::transfer_of(int socket) {
    const auto index = static_cast<std::size_t>(socket);
    if (index >= transfers_.size()) transfers_.resize(index + 1);
    auto &found = transfers_[index];
    if (found == nullptr) found = std::make_unique<transfer>(ring_, *buffers_, socket);
    return *found;
}

outcome uring_network::accept(task &who, int listener) { return transfer_of(listener).accept(who); }

outcome uring_network::receive(task &who, int socket, std::span<char> room) {
    return transfer_of(socket).receive(who, room);
}

outcome uring_network::send(task &who, int socket, std::span<const iovec> parts, bool more) {
    return transfer_of(socket).send(who, parts, more);
}

outcome uring_network::send_file(task &who, int socket, int file, off_t &offset, std::uint64_t length) {
    return transfer_of(socket).send_file(who, file, offset, length);
}

// Neither of these waits, and the ring gives every shutdown to a worker thread.
outcome uring_network::end_sending(task & /*who*/, int socket) {
    return outcome::of_library(::shutdown(socket, SHUT_WR));
}

outcome uring_network::close(task & /*who*/, int socket) {
    transfer_of(socket).forget_kept();
    return outcome::of_library(::close(socket));
}

} // namespace httpd
