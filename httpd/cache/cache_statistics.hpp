// What a cache counted, and what it holds. Plain numbers: one thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace httpd {

struct cache_statistics {
    std::uint64_t hits = 0;          // a file, to be used as it is
    std::uint64_t negative_hits = 0; // an error, to be used as it is
    std::uint64_t misses = 0;
    std::uint64_t stale = 0;   // a file that had to be validated
    std::uint64_t changed = 0; // that turned out to be another one now
    std::uint64_t evicted = 0; // given up for a limit, or for want of descriptors or memory
    std::uint64_t expired = 0; // given up because nobody used it
    std::size_t entries = 0;   // held now, errors included
    std::size_t negative_entries = 0;
    std::uint64_t bytes = 0; // of names and entries in memory; for mapped files: mapped
};

} // namespace httpd
