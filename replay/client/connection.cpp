#include "client/connection.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace replay {

namespace {

// A head and a small body in one piece, and little of a large one: the rest of that is dropped.
constexpr std::size_t first_piece_bytes = 4096;
constexpr std::uint64_t dropped_at_once_max = 1U << 24;

failure of_connect(int error) {
    switch (error) {
    case ECONNREFUSED: return failure::refused;
    case ETIMEDOUT: return failure::timeout;
    case ECONNRESET: return failure::reset;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EADDRNOTAVAIL:
    case EAGAIN: return failure::local;
    default: return failure::unreachable;
    }
}

int error_of(int socket) {
    int error = 0;
    socklen_t length = sizeof error;
    return getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

// Not by recv(): sanitizers take it for one that writes so many bytes.
ssize_t drop(int socket, char *unused, std::size_t bytes) {
    return ::syscall(SYS_recvfrom, socket, unused, bytes, MSG_TRUNC | MSG_DONTWAIT, nullptr, nullptr);
}

} // namespace

server_view view_of(const url &server, const endpoint &address, bool one_request) {
    return {.address = address,
            .request_tail = " HTTP/1.1\r\nHost: " + server.host_field() + "\r\nUser-Agent: laio-replay\r\n" +
                            (one_request ? "Connection: close\r\n\r\n" : "\r\n"),
            .one_request = one_request};
}

void connection::prepare() {
    if (stage_ != stage::closed) return;
    problem_ = failure::none;
    reader_.start();
    request_.clear();
    moved_ = std::chrono::steady_clock::now();
    open();
}

std::optional<steady_time> connection::connecting_since() const {
    return stage_ == stage::connecting ? std::optional(connect_began_) : std::nullopt;
}

bool connection::begin(std::string_view path, std::optional<content> expected) {
    problem_ = failure::none;
    reader_.start(expected);
    request_.assign("GET ").append(path).append(server_.request_tail);
    sent_ = 0;
    moved_ = std::chrono::steady_clock::now();
    if (stage_ == stage::connecting) return true; // it was prepared, and sends when it is connected
    if (stage_ == stage::closed) return !open();
    return !send();
}

// This one and the following: true when the request has ended.
bool connection::open() {
    connect_began_ = moved_;
    const auto *to = reinterpret_cast<const sockaddr *>(&server_.address.address);
    socket_ = ::socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket_ < 0) return fail(failure::local);
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const int error = ::connect(socket_, to, server_.address.length) == 0 ? 0 : errno;
    if (error != 0 && error != EINPROGRESS) return fail(of_connect(error));
    stage_ = stage::connecting;
    if (!watch(error == 0 ? EPOLLIN : EPOLLOUT)) return fail(failure::local);
    return error == 0 && come_through();
}

bool connection::come_through() {
    moved_ = std::chrono::steady_clock::now();
    connect_time_ = moved_ - connect_began_;
    if (!request_.empty()) return send();
    stage_ = stage::idle;
    return !watch(EPOLLIN) && fail(failure::local);
}

bool connection::send() {
    const auto left = request_.size() - sent_;
    const auto n = ::send(socket_, request_.data() + sent_, left, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN) return fail(errno == EPIPE ? failure::closed : failure::reset);
    sent_ += static_cast<std::size_t>(std::max<ssize_t>(n, 0));
    stage_ = sent_ < request_.size() ? stage::sending : stage::receiving;
    return !watch(stage_ == stage::sending ? EPOLLOUT : EPOLLIN) && fail(failure::local);
}

bool connection::receive() {
    const auto droppable = reader_.droppable();
    // One byte more than the body has: what comes after it is noticed without a further call.
    const auto wanted = droppable > 0           ? std::min(droppable, dropped_at_once_max) + 1
                        : reader_.status() == 0 ? std::min(first_piece_bytes, server_.scratch.size())
                                                : server_.scratch.size();
    const auto n = droppable > 0 ? drop(socket_, server_.scratch.data(), wanted)
                                 : ::recv(socket_, server_.scratch.data(), wanted, MSG_DONTWAIT);
    if (n < 0) return errno != EAGAIN && fail(errno == ETIMEDOUT ? failure::timeout : failure::reset);
    moved_ = std::chrono::steady_clock::now();
    if (n > 0 && !reader_.begun()) first_byte_ = moved_;
    if (n == 0) reader_.peer_closed();
    else if (droppable > 0) reader_.dropped(static_cast<std::uint64_t>(n));
    else reader_.take({server_.scratch.data(), static_cast<std::size_t>(n)});
    return reader_.ended() && end();
}

bool connection::advance(std::uint32_t events) {
    switch (stage_) {
    case stage::closed: return false;
    case stage::idle: // the server ends it, or says what nobody asked for
        close();
        return false;
    case stage::connecting:
        if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0) return false;
        if (const int error = error_of(socket_)) return fail(of_connect(error));
        return come_through();
    case stage::sending: return send();
    case stage::receiving: return receive();
    }
    return false;
}

bool connection::expire(steady_time before) {
    const bool is_under_way = stage_ != stage::closed && stage_ != stage::idle;
    return is_under_way && moved_ < before && fail(failure::timeout);
}

bool connection::watch(std::uint32_t events) {
    if (watched_ == events) return true;
    epoll_event event{.events = events, .data = {.ptr = tag_}};
    const int operation = watched_ == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    watched_ = events;
    return epoll_ctl(server_.epoll, operation, socket_, &event) == 0;
}

bool connection::fail(failure why) {
    problem_ = why;
    close();
    return true;
}

bool connection::end() {
    if (server_.one_request || !reader_.connection_persists()) close();
    else stage_ = stage::idle;
    return true;
}

void connection::close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
    watched_ = 0;
    stage_ = stage::closed;
}

} // namespace replay
