// See channel.hpp.
#include "channel.hpp"

#include "common/failure.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace laio::bench {
namespace {

channel make_tcp() {
    const descriptor listener(must(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto *generic = reinterpret_cast<sockaddr *>(&address);
    must(::bind(listener.get(), generic, length), "bind");
    must(::listen(listener.get(), 1), "listen");
    must(::getsockname(listener.get(), generic, &length), "getsockname");

    channel result;
    result.kind = channel_kind::tcp;
    result.writer = descriptor(must(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    must(::connect(result.writer.get(), generic, length), "connect");
    result.reader = descriptor(must(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept4"));
    const int on = 1;
    must(::setsockopt(result.writer.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "setsockopt");
    return result;
}

} // namespace

channel make_channel(channel_kind kind) {
    if (kind == channel_kind::tcp) return make_tcp();
    std::array<int, 2> ends{};
    if (kind == channel_kind::pipe) must(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
    else must(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
    channel result;
    result.kind = kind;
    result.reader = descriptor(ends[0]);
    result.writer = descriptor(ends[1]);
    return result;
}

void fill_channel(const channel &filled, const void *bytes, std::size_t length) {
    const auto written = must(::write(filled.writer.get(), bytes, length), "write");
    if (static_cast<std::size_t>(written) != length) fail("a channel took {} of {} bytes", written, length);
    int there = 0;
    while (static_cast<std::size_t>(there) < length) {
        must(::ioctl(filled.reader.get(), FIONREAD, &there), "ioctl FIONREAD");
        if (static_cast<std::size_t>(there) < length) ::sched_yield();
    }
}

} // namespace laio::bench
