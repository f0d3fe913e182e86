#include "net/laio_network.hpp"

#include "loop/laio_calls.hpp"

#include <sys/socket.h>
#include <sys/syscall.h>

namespace httpd {

outcome laio_network::accept(task &who, int listener) {
    return calls_.call(who, SYS_accept4, listener, nullptr, nullptr, SOCK_CLOEXEC);
}

outcome laio_network::receive(task &who, int socket, std::span<char> room) {
    return calls_.call(who, SYS_recvfrom, socket, room.data(), room.size(), 0, nullptr, nullptr);
}

outcome laio_network::send(task &who, int socket, std::span<const iovec> parts, bool more) {
    if (parts.size() > 1) return calls_.call(who, SYS_writev, socket, parts.data(), parts.size());
    const auto &[bytes, length] = parts.front();
    return calls_.call(who, SYS_sendto, socket, bytes, length, MSG_NOSIGNAL | (more ? MSG_MORE : 0), nullptr, 0);
}

outcome laio_network::send_file(task &who, int socket, int file, off_t &offset, std::uint64_t length) {
    return calls_.call(who, SYS_sendfile, socket, file, &offset, length);
}

outcome laio_network::end_sending(task &who, int socket) { return calls_.call(who, SYS_shutdown, socket, SHUT_WR); }

outcome laio_network::close(task &who, int socket) { return calls_.call(who, SYS_close, socket); }

} // namespace httpd
