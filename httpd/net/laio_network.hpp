// The network through LAIO: blocking sockets, every call through laio_syscall(). Each function makes one call for a task;
// an outcome in the background is told to the task later. There is no state here, and none of partial writes anywhere:
// a send is over when all of its bytes are with the kernel. Other strategies can stand beside this file.
#pragma once

#include "task.hpp"

#include <span>
#include <string>
#include <string_view>

namespace httpd::net {

outcome accept(task &who, int listener);
outcome receive(task &who, int socket, std::span<char> room);
// `more`: further bytes of the same response follow at once.
outcome send(task &who, int socket, std::string_view bytes, bool more);
outcome end_sending(task &who, int socket);
outcome close(task &who, int socket);

// Start-up, by plain calls. `address` is a numeric IPv4 or IPv6 address; port 0: the kernel chooses. Throw
// std::system_error or std::invalid_argument.
int listen_on(const std::string &address, std::uint16_t port, int backlog);
std::string url_of(int listener);

} // namespace httpd::net
