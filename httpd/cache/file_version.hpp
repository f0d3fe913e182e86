// One state of one file, as far as its status can tell: the key of mapped files, and what a validated name must still
// have. The time of the status' change (ctime) cannot be set back by who writes a file and restores its mtime; the size
// is there for two writes within one tick of the kernel's clock.
#pragma once

#include <sys/stat.h>

#include <boost/container_hash/hash.hpp>

#include <cstddef>
#include <cstdint>

namespace httpd {

struct file_version {
    dev_t device;
    ino_t inode;
    off_t size;
    std::int64_t modified_s, modified_ns; // apart: some file systems have times beyond what 64 bits of nanoseconds hold
    std::int64_t changed_s, changed_ns;

    explicit file_version(const struct stat &status)
        : device(status.st_dev), inode(status.st_ino), size(status.st_size), modified_s(status.st_mtim.tv_sec),
          modified_ns(status.st_mtim.tv_nsec), changed_s(status.st_ctim.tv_sec), changed_ns(status.st_ctim.tv_nsec) {}

    bool operator==(const file_version &) const = default;

    friend std::size_t hash_value(const file_version &version) {
        std::size_t seed = 0;
        boost::hash_combine(seed, version.device);
        boost::hash_combine(seed, version.inode);
        boost::hash_combine(seed, version.size);
        boost::hash_combine(seed, version.modified_s);
        boost::hash_combine(seed, version.modified_ns);
        boost::hash_combine(seed, version.changed_s);
        boost::hash_combine(seed, version.changed_ns);
        return seed;
    }
};

} // namespace httpd

template <> struct std::hash<httpd::file_version> {
    std::size_t operator()(const httpd::file_version &version) const { return hash_value(version); }
};
