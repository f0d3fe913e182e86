// Calls on sockets: socket(2), bind(2), listen(2), accept(2), connect(2), send(2), recv(2) and their kin.
#include "generality/cases.hpp"

#include <cstddef>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace laio::test {
namespace {

struct unix_address {
    sockaddr_un address{};
    socklen_t length;

    explicit unix_address(const std::string &path) {
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
    }
};

// A name short enough for sun_path wherever the directory is: through /proc/self/fd.
struct short_name {
    descriptor root;
    std::string path;

    explicit short_name(const stage &s, std::string_view name)
        : root{open(s.root().path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)}, path{"/proc/self/fd/" +
                                                                                      std::to_string(root.get()) + "/" +
                                                                                      std::string{name}} {}
};

msghdr message_of(iovec *pieces, std::size_t count) {
    msghdr message{};
    message.msg_iov = pieces;
    message.msg_iovlen = count;
    return message;
}

void play_socket(stage &s) {
    { const descriptor made = s.call_for_descriptor(SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); }
    s.call(SYS_socket, AF_INET, 77, 0);
    s.call(SYS_socket, 9999, SOCK_STREAM, 0);
    std::array<int, 2> ends{};
    s.call(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, ends.data());
    const descriptor first{ends[0]};
    const descriptor second{ends[1]};
    s.call(SYS_socketpair, AF_INET, SOCK_STREAM, 0, ends.data());
}

void play_connection(stage &s) {
    const short_name name{s, "listener"};
    const unix_address address{name.path};
    const descriptor listener{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const descriptor client{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    s.call(SYS_connect, client.get(), &address.address, address.length);
    s.call(SYS_bind, listener.get(), &address.address, address.length);
    s.call(SYS_bind, listener.get(), &address.address, address.length);
    s.call(SYS_connect, client.get(), &address.address, address.length);
    s.call(SYS_listen, listener.get(), 5);
    s.call(SYS_connect, client.get(), &address.address, address.length);
    sockaddr_un peer{};
    socklen_t length = sizeof peer;
    const descriptor served = s.call_for_descriptor(SYS_accept4, listener.get(), &peer, &length, SOCK_CLOEXEC);
    s.note("length", static_cast<long>(length));
    s.call(SYS_accept, client.get(), nullptr, nullptr);
    s.call(SYS_connect, client.get(), &address.address, address.length);
    s.note_status("listener");
}

void play_accept(stage &s) {
    std::uint16_t port = 0;
    const descriptor listener = listen_tcp(port);
    sockaddr_in peer{};
    socklen_t length = sizeof peer;
    descriptor client;
    const descriptor accepted =
        s.call_for_descriptor_while([&] { client = connect_tcp(port); }, SYS_accept, listener.get(), &peer, &length);
    s.note("family", static_cast<long>(peer.sin_family));
    s.note("length", static_cast<long>(length));
    write_all(client.get(), "hello");
    s.note("bytes", read_all(accepted.get(), 5));
    const descriptor second_client = connect_tcp(port);
    wait_until([&] { return is_readable(listener.get()); });
    const descriptor second = s.call_for_descriptor(SYS_accept, listener.get(), nullptr, nullptr);
}

void play_connect_tcp(stage &s) {
    std::uint16_t port = 0;
    descriptor listener = listen_tcp(port);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const descriptor client{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    s.call(SYS_connect, client.get(), &address, sizeof address);
    s.call(SYS_connect, client.get(), &address, 3);
    const descriptor late{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    listener.reset();
    s.call(SYS_connect, late.get(), &address, sizeof address);
}

void play_names(stage &s) {
    const descriptor_pair pair = make_tcp_pair();
    sockaddr_in name{};
    socklen_t length = sizeof name;
    s.call(SYS_getsockname, pair.near.get(), &name, &length);
    s.note("family", static_cast<long>(name.sin_family));
    s.call(SYS_getpeername, pair.near.get(), &name, &length);
    s.note("length", static_cast<long>(length));
    s.call(SYS_getsockname, 0, nullptr, nullptr);
}

void play_options(stage &s) {
    const descriptor_pair pair = make_tcp_pair();
    int value = 1;
    socklen_t length = sizeof value;
    s.call(SYS_setsockopt, pair.near.get(), IPPROTO_TCP, TCP_NODELAY, &value, length);
    value = 0;
    s.call(SYS_getsockopt, pair.near.get(), IPPROTO_TCP, TCP_NODELAY, &value, &length);
    s.note("value", static_cast<long>(value));
    s.call(SYS_getsockopt, pair.near.get(), 9999, 0, &value, &length);
}

void play_sendto(stage &s) {
    const descriptor_pair pair = make_unix_pair();
    std::array<char, 32> bytes{};
    s.call(SYS_sendto, pair.far.get(), "hello", 5, 0, nullptr, 0);
    s.call(SYS_recvfrom, pair.near.get(), bytes.data(), 2, MSG_PEEK, nullptr, nullptr);
    s.call(SYS_recvfrom, pair.near.get(), bytes.data(), bytes.size(), 0, nullptr, nullptr);
    s.note("bytes", bytes.data());
    s.call(SYS_recvfrom, pair.near.get(), bytes.data(), bytes.size(), MSG_DONTWAIT, nullptr, nullptr);
    s.call_while([&] { write_all(pair.far.get(), "late"); }, SYS_recvfrom, pair.near.get(), bytes.data(), bytes.size(),
                 0, nullptr, nullptr);
    s.note("bytes", bytes.data());
    s.call(SYS_sendto, 0, "hello", 5, 0, nullptr, 0);
    s.call(SYS_sendto, pair.far.get(), 8, 5, 0, nullptr, 0);
}

void play_datagrams(stage &s) {
    const descriptor_pair pair = make_unix_pair(SOCK_DGRAM);
    std::array<char, 32> bytes{};
    s.call(SYS_sendto, pair.far.get(), "a datagram", 10, 0, nullptr, 0);
    s.call(SYS_sendto, pair.far.get(), "", 0, 0, nullptr, 0);
    s.call(SYS_recvfrom, pair.near.get(), bytes.data(), 4, MSG_TRUNC, nullptr, nullptr);
    s.note("bytes", bytes.data());
    s.call(SYS_recvfrom, pair.near.get(), bytes.data(), bytes.size(), 0, nullptr, nullptr);
    s.call_while([&] { EXPECT_EQ(send(pair.far.get(), "later", 5, 0), 5); }, SYS_read, pair.near.get(), bytes.data(),
                 bytes.size());
    s.note("bytes", bytes.data());
}

void play_messages(stage &s) {
    const descriptor_pair pair = make_unix_pair();
    std::string one = "one ";
    std::string two = "two";
    std::array<iovec, 2> out{iovec{one.data(), one.size()}, iovec{two.data(), two.size()}};
    msghdr message = message_of(out.data(), out.size());
    s.call(SYS_sendmsg, pair.far.get(), &message, 0);
    std::array<char, 3> first{};
    std::array<char, 10> second{};
    std::array<iovec, 2> in{iovec{first.data(), first.size()}, iovec{second.data(), second.size()}};
    message = message_of(in.data(), in.size());
    message.msg_flags = 99;
    s.call(SYS_recvmsg, pair.near.get(), &message, 0);
    s.note("first", std::string_view{first.data(), first.size()});
    s.note("second", std::string_view{second.data(), second.size()});
    s.note("flags", static_cast<long>(message.msg_flags));
    s.call_while([&] { write_all(pair.far.get(), "late"); }, SYS_recvmsg, pair.near.get(), &message, 0);
    s.note("first", std::string_view{first.data(), first.size()});
    s.call(SYS_recvmsg, pair.near.get(), nullptr, 0);
}

void play_passed_descriptor(stage &s) {
    const descriptor_pair pair = make_unix_pair();
    const descriptor file = s.file("a", "passed along");
    char byte = 'x';
    iovec piece{&byte, 1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message = message_of(&piece, 1);
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int number = file.get();
    std::memcpy(CMSG_DATA(header), &number, sizeof number);
    s.call(SYS_sendmsg, pair.far.get(), &message, 0);
    control.fill(0);
    s.call(SYS_recvmsg, pair.near.get(), &message, MSG_CMSG_CLOEXEC);
    s.note("control length", static_cast<long>(message.msg_controllen));
    int received = -1;
    std::memcpy(&received, CMSG_DATA(header), sizeof received);
    const descriptor passed{received};
    s.note("bytes", read_all(passed.get(), 100));
}

void play_many_messages(stage &s) {
    const descriptor_pair pair = make_unix_pair(SOCK_DGRAM);
    std::string one = "first";
    std::string two = "second!";
    std::array<iovec, 2> out{iovec{one.data(), one.size()}, iovec{two.data(), two.size()}};
    std::array<mmsghdr, 2> messages{};
    messages[0].msg_hdr = message_of(out.data(), 1);
    messages[1].msg_hdr = message_of(out.data() + 1, 1);
    s.call(SYS_sendmmsg, pair.far.get(), messages.data(), 2, 0);
    s.note("length", static_cast<long>(messages[1].msg_len));
    std::array<char, 16> first{};
    std::array<char, 16> second{};
    std::array<iovec, 2> in{iovec{first.data(), first.size()}, iovec{second.data(), second.size()}};
    messages[0].msg_hdr = message_of(in.data(), 1);
    messages[1].msg_hdr = message_of(in.data() + 1, 1);
    s.call(SYS_recvmmsg, pair.near.get(), messages.data(), 2, 0, nullptr);
    s.note("first", first.data());
    s.note("second", second.data());
    s.call(SYS_recvmmsg, pair.near.get(), messages.data(), 2, MSG_DONTWAIT, nullptr);
    s.call_while([&] { EXPECT_EQ(send(pair.far.get(), "third", 5, 0), 5); }, SYS_recvmmsg, pair.near.get(),
                 messages.data(), 2, MSG_WAITFORONE, nullptr);
    s.note("first", first.data());
}

void play_shutdown(stage &s) {
    const descriptor_pair pair = make_unix_pair();
    std::array<char, 4> bytes{};
    s.call(SYS_shutdown, pair.far.get(), SHUT_WR);
    s.call(SYS_read, pair.near.get(), bytes.data(), bytes.size());
    s.call(SYS_sendto, pair.far.get(), "x", 1, MSG_NOSIGNAL, nullptr, 0);
    s.call(SYS_shutdown, pair.far.get(), 99);
    s.call(SYS_shutdown, -1, SHUT_RD);
}

} // namespace

std::span<const generality_case> socket_cases() {
    static const std::vector<generality_case> cases{
        {"socket", {SYS_socket, SYS_socketpair}, play_socket},
        {"connection", {SYS_bind, SYS_listen, SYS_connect, SYS_accept4}, play_connection},
        {"accept", {SYS_accept}, play_accept},
        {"connect_tcp", {SYS_connect}, play_connect_tcp},
        {"names", {SYS_getsockname, SYS_getpeername}, play_names},
        {"options", {SYS_setsockopt, SYS_getsockopt}, play_options},
        {"sendto", {SYS_sendto, SYS_recvfrom}, play_sendto},
        {"datagrams", {SYS_sendto, SYS_recvfrom}, play_datagrams},
        {"messages", {SYS_sendmsg, SYS_recvmsg}, play_messages},
        {"passed_descriptor", {SYS_sendmsg, SYS_recvmsg}, play_passed_descriptor},
        {"many_messages", {SYS_sendmmsg, SYS_recvmmsg}, play_many_messages},
        {"shutdown", {SYS_shutdown}, play_shutdown},
    };
    return cases;
}

} // namespace laio::test
