// The chain of a connection's handlers: its beginning, its requests and its end. Its responses are in
// connection_response.cpp.
#include "connection.hpp"

#include "event_loop.hpp"
#include "net/network.hpp"

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

void connection::completed(outcome result) {
    result_ = result;
    turn();
}

void connection::arm(deadline limit) { shared_.loop.arm(*this, limit); }

void connection::deadline_passed() {
    expired_ = true;
    ++shared_.counts.timeouts;
    cancel();
}

void connection::stop() {
    if (receiving_ && input_.empty()) cancel();
}

void connection::abort() {
    aborted_ = true;
    cancel();
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
    return then(&connection::received, shared_.net.receive(*this, socket_, input_.room()), limit);
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
    return answer_file();
}

// ---- The end --------------------------------------------------------------------------------------------------------

// Closing a socket with unread bytes in it sends a reset, which can overtake the answer. So we end our side, and read
// what still comes, for a while.
connection::step connection::linger() {
    input_.clear();
    expired_ = false;
    return then(&connection::sending_ended, shared_.net.end_sending(*this, socket_));
}

connection::step connection::sending_ended() {
    if (result_.failed() || aborted_ || expired_ || lingered_bytes_ > linger_bytes) return close_socket();
    return then(&connection::lingered, shared_.net.receive(*this, socket_, input_.room()), deadline::linger);
}

connection::step connection::lingered() {
    if (result_.value <= 0) return close_socket();
    lingered_bytes_ += static_cast<std::uint64_t>(result_.value);
    return sending_ended();
}

connection::step connection::close_socket() {
    shared_.loop.disarm(*this);
    return then(&connection::socket_closed, shared_.net.close(*this, std::exchange(socket_, -1)));
}

connection::step connection::socket_closed() { return step::gone; }

} // namespace httpd
