// The disk through LAIO for a network that makes its own sendfile(2), which would wait for the disk in the loop: so the bytes are
// brought in before, by a read to where nobody looks.
#pragma once

#include "disk/laio_disk.hpp"

#include <vector>

namespace httpd {

class laio_reading_disk final : public laio_disk {
public:
    laio_reading_disk(laio_calls &calls, int root);

    using laio_disk::bring_in;
    outcome bring_in(task &who, int file, off_t offset, std::uint64_t length) override;

private:
    std::vector<char> nowhere_;
};

} // namespace httpd
