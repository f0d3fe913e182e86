// The disk through LAIO: every call through laio_syscall(), which goes to the background if it blocks and not otherwise.
// No state. sendfile(2) through LAIO waits for the disk by itself, so nothing is brought in before it; one that is made
// otherwise would wait in the loop, so before that the bytes are read, to where nobody looks.
#pragma once

#include "disk/disk.hpp"

#include <vector>

namespace httpd {

class laio_calls;

class laio_disk final : public disk {
public:
    enum class sending { through_laio, otherwise };
    laio_disk(laio_calls &calls, int root, sending how);

    outcome status(task &who, const char *name, struct stat &status) override;
    outcome open(task &who, const char *name, opened_file &file) override;
    outcome bring_in(task &who, int file, off_t offset, std::uint64_t length) override;
    outcome bring_in(task &who, const void *address, std::size_t length) override;
    outcome close(task &who, int file) override;

private:
    laio_calls &calls_;
    int root_;
    std::vector<char> nowhere_; // empty: nothing is brought in
};

} // namespace httpd
