// Start-up, by plain calls: the socket that clients connect to. Throw std::system_error or std::invalid_argument.
#pragma once

#include <cstdint>
#include <string>

namespace httpd {

// `address` is a numeric IPv4 or IPv6 address; port 0: the kernel chooses.
int listen_on(const std::string &address, std::uint16_t port, int backlog);
void make_nonblocking(int socket);
std::string url_of(int listener);

} // namespace httpd
