// Brings bytes of files into the page cache, by reads in the ring: so many at once, at most, the rest in order after
// them. Reads of the same bytes are joined. The loop looks whether bytes are there before, and again afterwards, for they
// may have vanished meanwhile. What is read goes to one place in memory that nobody looks at, whichever read it is. A read
// whose tasks are cancelled goes on, and its outcome comes: the kernel could not call a disk back.
#pragma once

#include "cache/joined.hpp"
#include "reusable.hpp"
#include "task.hpp"

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_set>
#include <vector>

namespace httpd {

class uring;

class uring_reads {
public:
    uring_reads(uring &ring, unsigned most);
    uring_reads(const uring_reads &) = delete;
    uring_reads &operator=(const uring_reads &) = delete;
    ~uring_reads();

    // The value: how many bytes from `offset` on are there now, at least 1.
    outcome bring_in(task &who, int file, off_t offset, std::uint64_t length);

private:
    class customer;
    class read;
    struct range {
        int file;
        off_t offset;
        std::uint64_t length;

        bool operator==(const range &) const = default;
    };
    struct range_hash {
        std::size_t operator()(const range &one) const;
    };

    void join(customer &which);
    void returned(read &which, int result);

    uring &ring_;
    std::unique_ptr<char[]> nowhere_; // NOLINT(modernize-avoid-c-arrays)
    joined<range, outcome, range_hash> joined_;
    std::unordered_multiset<int> being_read_; // the files of joined_
    std::vector<std::unique_ptr<read>> reads_;
    std::vector<read *> unused_reads_;
    std::deque<range> queue_;
    reusable<customer> customers_;
};

} // namespace httpd
