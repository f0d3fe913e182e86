// The network through non-blocking sockets and libevent's events, as event-driven servers use it. A send that went in part
// leaves a state of progress here, which the handler of the socket's next event goes on from.
#pragma once

#include "net/network.hpp"

#include <memory>
#include <vector>

namespace httpd {

class libevent_multiplexer;

class nonblocking_network final : public network {
public:
    explicit nonblocking_network(libevent_multiplexer &loop);
    ~nonblocking_network() override;

    outcome accept(task &who, int listener) override;
    outcome receive(task &who, int socket, std::span<char> room) override;
    outcome send(task &who, int socket, std::span<const iovec> parts, bool more) override;
    outcome send_file(task &who, int socket, int file, off_t &offset, std::uint64_t length) override;
    outcome end_sending(task &who, int socket) override;
    outcome close(task &who, int socket) override;

private:
    class transfer;

    transfer &transfer_of(int socket);

    libevent_multiplexer &loop_;
    std::vector<std::unique_ptr<transfer>> transfers_; // by socket
};

} // namespace httpd
