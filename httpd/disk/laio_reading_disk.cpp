#include "disk/laio_reading_disk.hpp"

#include "disk/residency.hpp"
#include "loop/laio_calls.hpp"

#include <sys/syscall.h>

#include <algorithm>

namespace httpd {
namespace {

// At the end of the file there is nothing to read, and nothing that a send would wait for.
outcome brought_in(laio_calls & /*calls*/, task & /*who*/, outcome result, void * /*state*/) {
    return result.value == 0 ? outcome{1, 0} : result;
}

} // namespace

laio_reading_disk::laio_reading_disk(laio_calls &calls, int root)
    : laio_disk(calls, root), nowhere_(residency_bytes_max) {}

outcome laio_reading_disk::bring_in(task &who, int file, off_t offset, std::uint64_t length) {
    length = std::min<std::uint64_t>(length, nowhere_.size());
    const auto seen = look_for(file, offset, length);
    if (seen.how == certainty::known && seen.bytes > 0) return {static_cast<long>(seen.bytes), 0};
    return calls_.call_then(brought_in, nullptr, who, SYS_pread64, file, nowhere_.data(), length, offset);
}

} // namespace httpd
