#include "disk/helper_message.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace httpd {
namespace {

// Room for one descriptor beside a message.
union control_room {
    cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

} // namespace

ssize_t send_message(int socket, std::span<iovec> parts, int descriptor, int flags) {
    control_room room{};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    if (descriptor >= 0) {
        message.msg_control = room.bytes;
        message.msg_controllen = sizeof room.bytes;
        room.header.cmsg_level = SOL_SOCKET;
        room.header.cmsg_type = SCM_RIGHTS;
        room.header.cmsg_len = CMSG_LEN(sizeof descriptor);
        std::memcpy(CMSG_DATA(&room.header), &descriptor, sizeof descriptor);
    }
    return ::sendmsg(socket, &message, flags | MSG_NOSIGNAL);
}

ssize_t receive_message(int socket, std::span<iovec> parts, int &descriptor, int flags) {
    control_room room{};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    message.msg_control = room.bytes;
    message.msg_controllen = sizeof room.bytes;
    descriptor = -1;
    const ssize_t length = ::recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
    const cmsghdr *header = length > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
    if (header != nullptr && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof descriptor))
        std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    return length;
}

} // namespace httpd
