// What the tests of the caches share: statuses and files that no disk has, and a closer that counts.
#pragma once

#include "cache/open_file.hpp"

#include <cstdint>
#include <set>

namespace httpd::test {

inline constexpr std::int64_t ms = 1'000'000; // in nanoseconds

inline struct stat status_of(ino_t inode, off_t size = 10) {
    struct stat status {};
    status.st_dev = 7;
    status.st_ino = inode;
    status.st_size = size;
    status.st_mode = S_IFREG | 0644;
    status.st_mtim = {.tv_sec = 1000, .tv_nsec = 1};
    status.st_ctim = {.tv_sec = 2000, .tv_nsec = 2};
    return status;
}

// Gives descriptors that stand for nothing, and knows which of them are open.
class descriptors {
public:
    file_ref open(const struct stat &status) {
        open_.insert(++latest_);
        return new open_file(latest_, status, closer_);
    }
    file_ref open(ino_t inode) { return open(status_of(inode)); }

    std::size_t still_open() const { return open_.size(); }
    bool is_open(int descriptor) const { return open_.contains(descriptor); }
    int closed_wrongly() const { return closed_wrongly_; } // twice, or never opened

private:
    int latest_ = 100;
    int closed_wrongly_ = 0;
    std::set<int> open_;
    const descriptor_closer closer_ = [this](int descriptor) { closed_wrongly_ += open_.erase(descriptor) == 0; };
};

} // namespace httpd::test
