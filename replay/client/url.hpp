// Where requests go: http://HOST[:PORT][/], and the address that the host's name has. What is wrong with it is a
// std::invalid_argument or, when a name has no address, a std::runtime_error.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

namespace replay {

struct url {
    std::string host; // without the brackets of a numeric IPv6 address
    std::uint16_t port = 80;

    std::string host_field() const; // as requests name it
};

url parse_url(const std::string &text);

struct endpoint {
    sockaddr_storage address{};
    socklen_t length = 0;
};

endpoint resolve(const url &from);

} // namespace replay
