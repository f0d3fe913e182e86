// One input to be made by any way: which call, and its arguments. The kind of call is a template parameter of the ways,
// so that no way pays for a choice that the others do not pay for.
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace laio::bench {

enum class input { read, receive, file }; // read(2), recvfrom(2) without an address, pread(2)

struct request {
    int fd = -1;
    void *buffer = nullptr;
    std::size_t length = 0;
    off_t offset = 0;
};

} // namespace laio::bench
