#include "net/nonblocking_network.hpp"

#include "loop/libevent_multiplexer.hpp"

#include <event2/event.h>
#include <event2/event_struct.h>

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace httpd {

// What is under way on a socket: for sends, with its state of progress.
class nonblocking_network::transfer final : public background_work {
public:
    transfer(libevent_multiplexer &loop, int socket) : loop_(loop), socket_(socket) {}
    transfer(const transfer &) = delete;
    transfer &operator=(const transfer &) = delete;
    ~transfer() { stop_waiting(); }

    outcome accept(task &who) {
        attempt_ = &transfer::attempt_accept;
        return begin_with(who, EV_READ);
    }

    outcome receive(task &who, std::span<char> room) {
        room_ = room;
        attempt_ = &transfer::attempt_receive;
        return begin_with(who, EV_READ);
    }

    outcome send(task &who, std::span<const iovec> parts, bool more) {
        std::copy(parts.begin(), parts.end(), parts_.begin());
        parts_left_ = {parts_.data(), parts.size()};
        flags_ = MSG_NOSIGNAL | (more ? MSG_MORE : 0);
        bytes_sent_ = 0;
        bytes_left_ = 0;
        for (const auto &part : parts) bytes_left_ += part.iov_len;
        attempt_ = &transfer::attempt_send;
        return begin_with(who, EV_WRITE);
    }

    outcome send_file(task &who, int file, off_t &offset, std::uint64_t length) {
        file_ = file;
        offset_ = &offset;
        bytes_sent_ = 0;
        bytes_left_ = length;
        attempt_ = &transfer::attempt_send_file;
        return begin_with(who, EV_WRITE);
    }

    void cancel() override { event_active(&event_, EV_TIMEOUT, 0); }

private:
    outcome begin_with(task &who, short direction) {
        const outcome result = (this->*attempt_)();
        return result.error == EAGAIN ? wait_for(who, direction) : result;
    }

    outcome wait_for(task &who, short direction) {
        event_assign(&event_, loop_.base(), socket_, direction | EV_PERSIST, ready, this);
        return event_add(&event_, nullptr) == 0 ? begin(who) : outcome::failure(ENOMEM);
    }

    static void ready(evutil_socket_t /*socket*/, short what, void *arg) {
        auto &self = *static_cast<transfer *>(arg);
        self.loop_.woke();
        const outcome result = (what & EV_TIMEOUT) != 0 ? outcome::failure(ECANCELED) : (self.*self.attempt_)();
        if (result.error == EAGAIN) return; // to the event loop
        self.stop_waiting();
        self.finish(result);
    }

    void stop_waiting() {
        if (who_ != nullptr) event_del(&event_);
    }

    outcome attempt_accept() {
        return outcome::of_library(::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    }

    outcome attempt_receive() { return outcome::of_library(::recv(socket_, room_.data(), room_.size(), 0)); }

    // The handler of Figure 4 of the LAIO paper.
    outcome attempt_send() {
        while (bytes_left_ > 0) {
            msghdr message{};
            message.msg_iov = parts_left_.data();
            message.msg_iovlen = parts_left_.size();
            const auto length = ::sendmsg(socket_, &message, flags_);
            if (length < 0) return sent_or(errno);
            progress(static_cast<std::size_t>(length));
        }
        return {static_cast<long>(bytes_sent_), 0};
    }

    outcome attempt_send_file() {
        while (bytes_left_ > 0) {
            const auto length = ::sendfile(socket_, file_, offset_, bytes_left_);
            if (length < 0) return sent_or(errno);
            if (length == 0) break;
            bytes_sent_ += static_cast<std::size_t>(length);
            bytes_left_ -= static_cast<std::size_t>(length);
        }
        return {static_cast<long>(bytes_sent_), 0};
    }

    outcome sent_or(int error) const {
        if (error == EAGAIN || bytes_sent_ == 0) return outcome::failure(error);
        return {static_cast<long>(bytes_sent_), 0};
    }

    // Updates the state of progress: the parts that went are left out, the one that went in part begins later.
    void progress(std::size_t length) {
        bytes_sent_ += length;
        bytes_left_ -= length;
        while (!parts_left_.empty() && length >= parts_left_.front().iov_len) {
            length -= parts_left_.front().iov_len;
            parts_left_ = parts_left_.subspan(1);
        }
        if (length == 0) return;
        auto &[bytes, left] = parts_left_.front();
        bytes = static_cast<char *>(bytes) + length;
        left -= length;
    }

    libevent_multiplexer &loop_;
    int socket_;
    event event_{};
    outcome (transfer::*attempt_)() = nullptr;
    std::span<char> room_;
    std::array<iovec, 2> parts_{};
    std::span<iovec> parts_left_;
    int flags_ = 0;
    int file_ = -1;
    off_t *offset_ = nullptr;
    std::size_t bytes_sent_ = 0;
    std::size_t bytes_left_ = 0;
};

nonblocking_network::nonblocking_network(libevent_multiplexer &loop) : loop_(loop) {}
nonblocking_network::~nonblocking_network() = default;

nonblocking_network::transfer &nonblocking_network::transfer_of(int socket) {
    const auto index = static_cast<std::size_t>(socket);
    if (index >= transfers_.size()) transfers_.resize(index + 1);
    auto &found = transfers_[index];
    if (found == nullptr) found = std::make_unique<transfer>(loop_, socket);
    return *found;
}

outcome nonblocking_network::accept(task &who, int listener) { return transfer_of(listener).accept(who); }

outcome nonblocking_network::receive(task &who, int socket, std::span<char> room) {
    return transfer_of(socket).receive(who, room);
}

outcome nonblocking_network::send(task &who, int socket, std::span<const iovec> parts, bool more) {
    return transfer_of(socket).send(who, parts, more);
}

outcome nonblocking_network::send_file(task &who, int socket, int file, off_t &offset, std::uint64_t length) {
    return transfer_of(socket).send_file(who, file, offset, length);
}

outcome nonblocking_network::end_sending(task & /*who*/, int socket) {
    return outcome::of_library(::shutdown(socket, SHUT_WR));
}

outcome nonblocking_network::close(task & /*who*/, int socket) { return outcome::of_library(::close(socket)); }

} // namespace httpd
