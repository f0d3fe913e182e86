// The chain of a connection's handlers: its beginning, its requests and its end. Its answers are in connection_answer.cpp.
#include "connection.hpp"

#include "event_loop.hpp"
#include "net/laio_network.hpp"

#include <utility>

namespace httpd {
namespace {

constexpr int calls_per_turn = 16;              // then it is the turn of the others
constexpr std::uint64_t linger_bytes = 1 << 20; // that a client may still send after our last answer

} // namespace

connection::connection(service &shared, int socket)
    : shared_(shared), socket_(socket), next_(&connection::next_request), input_(shared.limits) {}

// ---- The chain of handlers ------------------------------------------------------------------------------------------

void connection::turn() {
    for (int calls = 0; calls < calls_per_turn; ++calls) {
        const auto now = (this->*next_)();
        if (now == step::wait) return;
        if (now == step::gone) {
            shared_.on_closed(*this);
            return;
        }
    }
    shared_.loop.run_later(*this);
}

// The second half of Figure 2 of the LAIO paper: a call in the background finds its continuation when laio_poll() hands
// over its completion; a finished one goes on at once.
connection::step connection::then(handler next, outcome result) {
    next_ = next;
    result_ = result;
    return result.in_background() ? step::wait : step::go_on;
}

connection::step connection::then(handler next, outcome result, deadline limit) {
    if (result.in_background()) shared_.loop.arm(*this, limit);
    return then(next, result);
}

void connection::completed(outcome result) {
    result_ = result;
    turn();
}

void connection::deadline_passed() {
    expired_ = true;
    ++shared_.counts.timeouts;
    event_loop::cancel(*this);
}

void connection::stop() {
    if (receiving_ && input_.empty()) event_loop::cancel(*this);
}

void connection::abort() {
    aborted_ = true;
    event_loop::cancel(*this);
}

// ---- Requests -------------------------------------------------------------------------------------------------------

connection::step connection::next_request() {
    auto found = input_.next();
    if (!found) return receive();
    shared_.loop.disarm(*this);
    expired_ = false;
    request_ = std::move(*found);
    return answer();
}

connection::step connection::receive() {
    if (aborted_ || (shared_.stopping && input_.empty())) return close_socket();
    if (expired_ && !input_.empty()) {
        request_ = {};
        request_.framing_lost = true;
        return refuse(status::request_timeout);
    }
    const auto limit = input_.empty() ? deadline::idle : deadline::head;
    receiving_ = true;
    return then(&connection::received, net::receive(*this, socket_, input_.room()), limit);
}

connection::step connection::received() {
    receiving_ = false;
    if (result_.value > 0) {
        input_.received(static_cast<std::size_t>(result_.value));
        return next_request();
    }
    if (expired_ && !input_.empty()) return receive(); // which answers that it took too long
    return close_socket();
}

connection::step connection::answer() {
    ++shared_.counts.requests;
    if (request_.verdict != status::ok) return refuse(request_.verdict);
    file_name_ = request_.path;
    if (file_name_.empty() || file_name_.ends_with('/')) file_name_ += "index.html";
    open_retries_ = 0;
    return open_file();
}

// ---- The end --------------------------------------------------------------------------------------------------------

// Closing a socket with unread bytes in it sends a reset, which can overtake the answer. So we end our side, and read
// what still comes, for a while.
connection::step connection::linger() {
    input_.clear();
    expired_ = false;
    return then(&connection::sending_ended, net::end_sending(*this, socket_));
}

connection::step connection::sending_ended() {
    if (result_.failed() || aborted_ || expired_ || lingered_bytes_ > linger_bytes) return close_socket();
    return then(&connection::lingered, net::receive(*this, socket_, input_.room()), deadline::linger);
}

connection::step connection::lingered() {
    if (result_.value <= 0) return close_socket();
    lingered_bytes_ += static_cast<std::uint64_t>(result_.value);
    return sending_ended();
}

connection::step connection::close_socket() {
    shared_.loop.disarm(*this);
    return then(&connection::socket_closed, net::close(*this, std::exchange(socket_, -1)));
}

connection::step connection::socket_closed() { return step::gone; }

} // namespace httpd
