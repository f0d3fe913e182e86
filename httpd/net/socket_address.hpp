// Addresses of sockets, and the one that clients connect to: plain calls, none of which waits. At start-up they throw
// std::system_error or std::invalid_argument.
#pragma once

#include <cstdint>
#include <string>

namespace httpd {

// `address` is a numeric IPv4 or IPv6 address; port 0: the kernel chooses.
int listen_on(const std::string &address, std::uint16_t port, int backlog);
void make_nonblocking(int socket);
std::string url_of(int listener);

// The numeric address of the client at the other end; "-" if it cannot be told.
std::string peer_of(int socket);

} // namespace httpd
