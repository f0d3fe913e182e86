// The network through io_uring: a request for each thing, which the kernel attempts when a turn's requests are submitted,
// and for which it waits by itself. Receives go straight into the buffer of the connection, which has one anyway; the
// kernel choosing from provided buffers would save nothing. One accept at a time: clients over the limit stay outside.
// io_uring has no sendfile. Up to 64 KB of a file go by a read and a send, linked, through a buffer from a bounded pool; it
// is lent while the disk works, never while a client is slow: what the socket does not take is read again when it has
// room. More goes by sendfile(2), which copies nothing, after the disk strategy has brought it in, and so does what is
// in memory while the disk has all buffers. Sockets are non-blocking for that, which the ring does not mind. splice(2)
// through a pipe lost: the kernel gives each to a worker thread, where one that meets a slow client stays.
// A head that more follows is kept here and goes with the first bytes of the file, in one send.
#pragma once

#include "net/network.hpp"

#include <memory>
#include <vector>

namespace httpd {

class uring;

class uring_network final : public network {
public:
    static constexpr std::size_t through_ring_bytes_max = 65536; // of a file

    // Files are read for so many at once, at most; further ones wait for their turn.
    uring_network(uring &ring, unsigned reads_max);
    ~uring_network() override;

    outcome accept(task &who, int listener) override;
    outcome receive(task &who, int socket, std::span<char> room) override;
    outcome send(task &who, int socket, std::span<const iovec> parts, bool more) override;
    outcome send_file(task &who, int socket, int file, off_t &offset, std::uint64_t length) override;
    outcome end_sending(task &who, int socket) override;
    outcome close(task &who, int socket) override;

private:
    class transfer;
    class buffer_pool;

    transfer &transfer_of(int socket);

    uring &ring_;
    std::unique_ptr<buffer_pool> buffers_;
    std::vector<std::unique_ptr<transfer>> transfers_; // by socket
};

} // namespace httpd
