// The network through LAIO: blocking sockets, every call through laio_syscall(). No state, and none of partial writes: a
// send is over when all of its bytes are with the kernel.
#pragma once

#include "net/network.hpp"

namespace httpd {

class laio_calls;

class laio_network final : public network {
public:
    explicit laio_network(laio_calls &calls) : calls_(calls) {}

    outcome accept(task &who, int listener) override;
    outcome receive(task &who, int socket, std::span<char> room) override;
    outcome send(task &who, int socket, std::span<const iovec> parts, bool more) override;
    outcome send_file(task &who, int socket, int file, off_t &offset, std::uint64_t length) override;
    outcome end_sending(task &who, int socket) override;
    outcome close(task &who, int socket) override;

private:
    laio_calls &calls_;
};

} // namespace httpd
