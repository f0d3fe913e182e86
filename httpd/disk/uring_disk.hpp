// The disk through io_uring. The kernel opens a name that it has in memory, and reads bytes that it has there, when a
// turn's requests are submitted; what would wait goes on without the loop, in a kernel thread where there is no other way.
// Files are closed through the ring as well: it knows which file systems wait for that (those with a flush), and closes
// the others' at once.
#pragma once

#include "disk/disk.hpp"
#include "disk/uring_reads.hpp"
#include "reusable.hpp"

namespace httpd {

class uring;

class uring_disk final : public disk {
public:
    // So many reads at once, at most. So few bytes need not be brought in, for the network reads them through the ring.
    uring_disk(uring &ring, int root, unsigned reads_max, std::uint64_t left_to_network);
    ~uring_disk() override;

    outcome status(task &who, const char *name, struct stat &status) override;
    outcome open(task &who, const char *name, opened_file &file) override;
    outcome bring_in(task &who, int file, off_t offset, std::uint64_t length) override;
    outcome bring_in(task &who, const void *address, std::size_t length) override;
    outcome close(task &who, int file) override;

private:
    class request;

    uring &ring_;
    const int root_;
    const std::uint64_t left_to_network_;
    uring_reads reads_;
    reusable<request> requests_;
};

} // namespace httpd
