// Whether bytes of a file are in memory: asked without waiting for them.
//
// By cachestat(2) (Linux 6.5; later ones tell of files that one may write to only), which counts pages that are under read,
// too, and then by reading the last byte with RWF_NOWAIT, which finds those. Behind an overlay and on DAX there is never
// anything to count, so a count that falls short is believed only where some page was counted before, and of a file without
// holes; else the first byte is read, and where that is there cachestat is not asked for a while. Lost: RWF_NOWAIT alone,
// which since Linux 6.12 begins to bring in what it does not find; mincore(2), which needs a mapping, and tells who does not
// own a file that all of it is there.
#pragma once

#include "kernel/features.hpp"
#include "kernel/file.hpp"

#include <cstddef>
#include <cstdint>

namespace laio {

constexpr long sys_cachestat = 451; // newer than the C library's headers; the number is the same on all architectures

enum class residency : std::uint8_t {
    present, // they were just now
    absent,  // one of them was not, or is under read
    untold,  // neither this kernel nor this file system says
};

// The devices where cachestat(2) counted pages, and those where it did not though they were there. Numbers of devices are
// used again, so the first is believed for so many empty counts only. Bounded: the oldest is forgotten.
class page_counts {
public:
    // For so many looks: a byte may have come in between.
    [[nodiscard]] bool is_useless(std::uint64_t device) {
        entry *one = find(device);
        if (one == nullptr || one->useless == 0) return false;
        --one->useless;
        return true;
    }
    // A count of `pages` that fell short: whether it can be believed.
    bool believes(std::uint64_t device, std::uint64_t pages) {
        if (pages > 0) note(device).credit = empty_max;
        entry *one = find(device);
        if (one == nullptr || one->useless != 0 || one->credit == 0) return false;
        --one->credit;
        return true;
    }
    // A byte was there, and nothing was counted.
    void note_useless(std::uint64_t device) { note(device).useless = useless_max; }

    static constexpr std::size_t capacity = 16;
    static constexpr unsigned empty_max = 256;
    static constexpr unsigned useless_max = 4096;

private:
    struct entry {
        std::uint64_t device;
        std::uint16_t credit;
        std::uint16_t useless;
    };
    entry *find(std::uint64_t device) {
        for (std::size_t i = 0; i < capacity && i < next_; ++i)
            if (known_[i].device == device) return &known_[i];
        return nullptr;
    }
    entry &note(std::uint64_t device) {
        if (entry *one = find(device); one != nullptr) return *one;
        return known_[next_++ % capacity] = {device, 0, 0};
    }

    entry known_[capacity]{};
    std::size_t next_ = 0;
};

// Of the file that `extent` was asked of.
residency residency_of(int file, const file_extent &extent, long offset, std::uint64_t length, const features &has,
                       page_counts &counts);

} // namespace laio
