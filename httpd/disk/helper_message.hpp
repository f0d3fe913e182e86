// What goes between the event loop and a helper process: over SOCK_SEQPACKET, which keeps messages apart, says when the
// other end is gone, and carries a descriptor: the file to be read there, the file opened back. A stream would need a
// state of partial messages for the same. To a helper: an errand_order and a name with its NUL; back: an errand_result.
// Async-signal-safe.
#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <span>

namespace httpd {

// Both: bytes, or -1 and errno. `descriptor` -1: none.
ssize_t send_message(int socket, std::span<iovec> parts, int descriptor, int flags);
// 0: the other end is gone. A descriptor that this process has no room for is not there.
ssize_t receive_message(int socket, std::span<iovec> parts, int &descriptor, int flags);

} // namespace httpd
