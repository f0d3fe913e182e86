// What the servers ask of a network strategy; each stands in a file of its own beside this one. Every function begins one
// thing for a task. Its outcome is a value as the system call of that name gives it, or -1 and the error; if it is in the
// background, the task is told later, and what was given by reference belongs to the strategy until then.
#pragma once

#include "task.hpp"

#include <sys/types.h>
#include <sys/uio.h>

#include <cstdint>
#include <span>

namespace httpd {

class network {
public:
    network() = default;
    network(const network &) = delete;
    network &operator=(const network &) = delete;
    virtual ~network() = default;

    // The value is the socket.
    virtual outcome accept(task &who, int listener) = 0;
    // Some bytes; 0: the peer has ended.
    virtual outcome receive(task &who, int socket, std::span<char> room) = 0;
    // All of the parts, one or two, or what had gone when it failed. `more`: bytes of the same response follow at once
    // (one part only).
    virtual outcome send(task &who, int socket, std::span<const iovec> parts, bool more) = 0;
    // `length` bytes of the file from `offset`, which moves on as they go; fewer: the file has ended, or what had gone
    // when it failed.
    virtual outcome send_file(task &who, int socket, int file, off_t &offset, std::uint64_t length) = 0;
    virtual outcome end_sending(task &who, int socket) = 0;
    virtual outcome close(task &who, int socket) = 0;
};

} // namespace httpd
