// The disk through LAIO: every call through laio_syscall(), which goes to the background if it blocks and not otherwise.
// No state. sendfile(2) through LAIO waits for the disk by itself, so nothing is brought in before it.
#pragma once

#include "disk/disk.hpp"

namespace httpd {

class laio_calls;

class laio_disk : public disk {
public:
    laio_disk(laio_calls &calls, int root) : calls_(calls), root_(root) {}

    outcome status(task &who, const char *name, struct stat &status) override;
    outcome open(task &who, const char *name, opened_file &file) override;
    outcome bring_in(task &who, int file, off_t offset, std::uint64_t length) override;
    outcome bring_in(task &who, const void *address, std::size_t length) override;
    outcome close(task &who, int file) override;

protected:
    laio_calls &calls_;

private:
    int root_;
};

} // namespace httpd
