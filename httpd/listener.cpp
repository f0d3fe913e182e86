#include "listener.hpp"

#include "event_loop.hpp"
#include "net/network.hpp"

#include <utility>

namespace httpd {
namespace {

constexpr int accepts_per_turn = 16;

// Errors of one connection, gone before it was accepted (accept(2), "Error handling"); the next may be well.
bool is_of_the_peer(int error) {
    switch (error) {
    case ECONNABORTED:
    case EINTR:
    case EPROTO:
    case EPERM: // a firewall rule
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
    case ETIMEDOUT: return true;
    default: return false;
    }
}

} // namespace

listener::listener(event_loop &loop, network &net, statistics &counts, int socket, events owner)
    : loop_(loop), net_(net), counts_(counts), socket_(socket), owner_(std::move(owner)) {}

void listener::turn() {
    for (int accepts = 0; accepts < accepts_per_turn; ++accepts) {
        if (state_ != state::accepting) return;
        if (!owner_.has_room()) {
            pause();
            return;
        }
        const auto result = net_.accept(*this, socket_);
        if (result.in_background()) {
            in_background_ = true;
            return;
        }
        take(result);
    }
    loop_.run_later(*this);
}

void listener::completed(outcome result) {
    in_background_ = false;
    if (socket_ < 0) {
        socket_closed();
        return;
    }
    take(result);
    if (state_ == state::closing) close();
    else turn();
}

void listener::take(outcome result) {
    if (!result.failed()) {
        owner_.accepted(static_cast<int>(result.value));
    } else if (!is_of_the_peer(result.error) && state_ == state::accepting) {
        pause();
        loop_.arm(*this, deadline::accept_retry); // perhaps another process has to close something
    }
}

void listener::pause() {
    state_ = state::paused;
    ++counts_.accept_pauses;
}

void listener::resume() {
    if (state_ != state::paused) return;
    state_ = state::accepting;
    loop_.disarm(*this);
    loop_.run_later(*this);
}

void listener::stop() {
    if (state_ == state::closing || state_ == state::closed) return;
    state_ = state::closing;
    loop_.disarm(*this);
    if (in_background_) cancel();
    else close();
}

void listener::close() {
    const auto result = net_.close(*this, std::exchange(socket_, -1));
    if (!result.in_background()) socket_closed();
}

void listener::socket_closed() {
    state_ = state::closed;
    owner_.closed();
}

} // namespace httpd
