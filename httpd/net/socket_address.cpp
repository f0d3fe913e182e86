#include "net/socket_address.hpp"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <fcntl.h>

#include <array>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace httpd {

namespace {

[[noreturn]] void fail(const std::string &what) { throw std::system_error(errno, std::generic_category(), what); }

struct socket_address {
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;

    sockaddr *get() { return reinterpret_cast<sockaddr *>(&storage); }
};

template <typename kind> kind read_as(const socket_address &from) {
    kind value{};
    std::memcpy(&value, &from.storage, sizeof value);
    return value;
}

socket_address parse_address(const std::string &text, std::uint16_t port) {
    socket_address parsed;
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        parsed.length = sizeof v4;
        std::memcpy(&parsed.storage, &v4, sizeof v4);
    } else if (inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        parsed.length = sizeof v6;
        std::memcpy(&parsed.storage, &v6, sizeof v6);
    } else {
        throw std::invalid_argument("not a numeric IPv4 or IPv6 address: " + text);
    }
    return parsed;
}

std::string text_of(const socket_address &name) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (name.storage.ss_family == AF_INET6) {
        const auto v6 = read_as<sockaddr_in6>(name);
        inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    } else {
        const auto v4 = read_as<sockaddr_in>(name);
        inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
    }
    return text.data();
}

} // namespace

int listen_on(const std::string &address, std::uint16_t port, int backlog) {
    auto where = parse_address(address, port);
    const int listener = socket(where.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0) fail("socket");
    const int on = 1;
    // Accepted sockets inherit TCP_NODELAY: the end of a response must not wait for the peer's acknowledgement.
    if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
        fail("setsockopt");
    if (bind(listener, where.get(), where.length) != 0) fail(fmt::format("cannot listen on {} port {}", address, port));
    if (listen(listener, backlog) != 0) fail("listen");
    return listener;
}

void make_nonblocking(int socket) {
    if (fcntl(socket, F_SETFL, O_NONBLOCK) != 0) fail("fcntl");
}

std::string url_of(int listener) {
    socket_address name;
    if (getsockname(listener, name.get(), &name.length) != 0) fail("getsockname");
    const bool is_v6 = name.storage.ss_family == AF_INET6;
    const auto port = is_v6 ? read_as<sockaddr_in6>(name).sin6_port : read_as<sockaddr_in>(name).sin_port;
    return is_v6 ? fmt::format("http://[{}]:{}/", text_of(name), ntohs(port))
                 : fmt::format("http://{}:{}/", text_of(name), ntohs(port));
}

std::string peer_of(int socket) {
    socket_address name;
    return getpeername(socket, name.get(), &name.length) == 0 ? text_of(name) : "-";
}

} // namespace httpd
