// The disk by blocking calls in the loop: nothing is ever in the background, and all wait while one waits for the disk.
#pragma once

#include "disk/disk.hpp"

namespace httpd {

class blocking_disk final : public disk {
public:
    explicit blocking_disk(int root) : root_(root) {}

    outcome status(task &who, const char *name, struct stat &status) override;
    outcome open(task &who, const char *name, opened_file &file) override;
    outcome bring_in(task &who, int file, off_t offset, std::uint64_t length) override;
    outcome bring_in(task &who, const void *address, std::size_t length) override;
    outcome close(task &who, int file) override;

private:
    int root_;
};

} // namespace httpd
