#include "client/url.hpp"

#include <netdb.h>

#include <charconv>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string_view>

namespace replay {

namespace {

[[noreturn]] void refuse(const std::string &text, const std::string &why) {
    throw std::invalid_argument("'" + text + "' is no URL of the form http://HOST[:PORT]/: " + why);
}

std::uint16_t parse_port(const std::string &text, std::string_view digits) {
    std::uint16_t port = 0;
    const auto *const end = digits.data() + digits.size();
    const auto [stopped, error] = std::from_chars(digits.data(), end, port);
    if (error != std::errc{} || stopped != end || port == 0) refuse(text, "its port is not a number from 1 to 65535");
    return port;
}

bool fits_a_host(char c) { return c > ' ' && c < '\x7f' && c != '@' && c != '?' && c != '#' && c != '/'; }

} // namespace

std::string url::host_field() const {
    const auto name = host.find(':') == std::string::npos ? host : "[" + host + "]";
    return port == 80 ? name : name + ":" + std::to_string(port);
}

url parse_url(const std::string &text) {
    constexpr std::string_view scheme = "http://";
    std::string_view rest = text;
    if (!rest.starts_with(scheme)) refuse(text, "it does not begin with http://");
    rest.remove_prefix(scheme.size());
    if (rest.ends_with('/')) rest.remove_suffix(1);
    if (rest.find('/') != std::string_view::npos) refuse(text, "paths come from the trace");
    for (const char c : rest)
        if (!fits_a_host(c)) refuse(text, "a character that no host has");

    url parsed;
    auto host_end = rest.find(':');
    if (rest.starts_with('[')) {
        host_end = rest.find(']');
        if (host_end == std::string_view::npos) refuse(text, "a bracket is not closed");
        parsed.host = rest.substr(1, host_end - 1);
        ++host_end;
    } else {
        parsed.host = rest.substr(0, host_end);
    }
    if (parsed.host.empty()) refuse(text, "it has no host");
    if (host_end < rest.size()) {
        if (rest[host_end] != ':') refuse(text, "the host ends unexpectedly");
        parsed.port = parse_port(text, rest.substr(host_end + 1));
    }
    return parsed;
}

endpoint resolve(const url &from) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo *found = nullptr;
    const int error = getaddrinfo(from.host.c_str(), std::to_string(from.port).c_str(), &hints, &found);
    if (error != 0) throw std::runtime_error(from.host + ": " + gai_strerror(error));
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(found, freeaddrinfo);
    endpoint first;
    std::memcpy(&first.address, found->ai_addr, found->ai_addrlen);
    first.length = found->ai_addrlen;
    return first;
}

} // namespace replay
