// See connections.hpp. The control channel is a Unix stream pair: a byte from the loop lets the peers connect the next
// batch (more than fit into the listen queue would wait for retransmissions), the last one lets them write.
#include "connections.hpp"

#include "common/failure.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <numeric>
#include <random>

namespace laio::bench {
namespace {

constexpr std::size_t batch = 64;

struct address {
    sockaddr_storage storage{};
    socklen_t length = 0;
    int family = AF_UNSPEC;

    sockaddr *generic() { return reinterpret_cast<sockaddr *>(&storage); }
};

// Any free port of loopback, or an abstract name that the kernel chooses.
address any_address(transport kind) {
    address result;
    if (kind == transport::tcp) {
        auto &inet = reinterpret_cast<sockaddr_in &>(result.storage);
        inet.sin_family = AF_INET;
        inet.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        result.length = sizeof inet;
        result.family = AF_INET;
    } else {
        result.storage.ss_family = AF_UNIX;
        result.length = sizeof(sa_family_t);
        result.family = AF_UNIX;
    }
    return result;
}

void send_byte(int fd) {
    const char byte = 1;
    if (must(::send(fd, &byte, 1, MSG_NOSIGNAL), "send") != 1) fail("send sent nothing");
}

void expect_byte(int fd) {
    char byte = 0;
    if (must(::recv(fd, &byte, 1, 0), "recv") != 1) ::_exit(1); // the other process is gone
}

[[noreturn]] void be_the_peers(address &server, std::size_t count, std::uint64_t seed, int control) {
    raise_descriptor_limit();
    std::vector<descriptor> sockets;
    sockets.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        if (i % batch == 0) expect_byte(control);
        sockets.emplace_back(must(::socket(server.family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
        must(::connect(sockets.back().get(), server.generic(), server.length), "connect");
        // Ended by a reset, so that ten thousand ports do not stay behind for a minute.
        const linger now{.l_onoff = 1, .l_linger = 0};
        if (server.family == AF_INET)
            must(::setsockopt(sockets.back().get(), SOL_SOCKET, SO_LINGER, &now, sizeof now), "setsockopt");
        const auto name = static_cast<std::uint32_t>(i);
        if (must(::write(sockets.back().get(), &name, sizeof name), "write") != sizeof name)
            fail("a peer could not say its number");
    }
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::shuffle(order.begin(), order.end(), std::mt19937_64(seed));
    expect_byte(control);
    for (const std::size_t each : order) {
        const unsigned char byte = connections::byte_of(each);
        if (must(::write(sockets[each].get(), &byte, 1), "write") != 1) fail("a peer could not send its byte");
    }
    expect_byte(control); // or the end of the loop's process
    ::_exit(0);
}

} // namespace

connections::connections(transport kind, std::size_t count, std::uint64_t seed) : sockets_(count) {
    address server = any_address(kind);
    const descriptor listener(must(::socket(server.family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    must(::bind(listener.get(), server.generic(), server.length), "bind");
    must(::listen(listener.get(), static_cast<int>(2 * batch)), "listen");
    server.length = sizeof server.storage;
    must(::getsockname(listener.get(), server.generic(), &server.length), "getsockname");

    std::array<int, 2> control{};
    must(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control.data()), "socketpair");
    control_ = descriptor(control[0]);
    descriptor theirs(control[1]);
    const pid_t loop = ::getpid();
    peers_ = must(::fork(), "fork");
    if (peers_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != loop) ::_exit(1);
        control_.reset();
        be_the_peers(server, count, seed, theirs.get());
    }
    theirs.reset();
    for (std::size_t i = 0; i < count; ++i) {
        if (i % batch == 0) send_byte(control_.get());
        descriptor accepted(must(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC), "accept4"));
        std::uint32_t name = 0;
        if (must(::recv(accepted.get(), &name, sizeof name, MSG_WAITALL), "recv") != sizeof name || name >= count)
            fail("a peer did not say its number");
        sockets_[name] = std::move(accepted);
    }
}

connections::~connections() {
    control_.reset();
    int status = 0;
    ::waitpid(peers_, &status, 0);
}

void connections::let_peers_write() const { send_byte(control_.get()); }

std::size_t raise_descriptor_limit() {
    rlimit limit{};
    must(::getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
    limit.rlim_cur = limit.rlim_max;
    must(::setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
    return limit.rlim_cur;
}

} // namespace laio::bench
