// thttpd's cache of mapped files: whole files, mapped for reading, by their version (file_version.hpp). One thread.
// A mapping is in use as long as there is a mapping_ref, and is never refused for a limit; then it stays until it is
// idle, or the least recently used of too many unused ones. The cache outlives all references. mmap() needs no disk and
// is made here; munmap() may be the last close of a deleted file, which frees its blocks: the owner's unmapper has it.
//
// A mapping must only be passed to the kernel (writev, send), never read: beyond the end of a file that became shorter,
// or where the disk fails, a load is SIGBUS and the end of the server, a call ends with EFAULT or what went out before.
// Then the announced length cannot be kept: close the connection. And such a call waits *inside* its copy for pages
// that are not in memory, also on a non-blocking socket: make it where waiting does no harm.
#pragma once

#include "cache/cache_limits.hpp"
#include "cache/cache_statistics.hpp"
#include "cache/file_version.hpp"

#include <boost/intrusive/list.hpp>
#include <boost/intrusive/unordered_set.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <functional>
#include <vector>

namespace httpd {

class mapped_file_cache;

class mapped_file final : public boost::intrusive::list_base_hook<>,
                          public boost::intrusive::unordered_set_base_hook<boost::intrusive::store_hash<true>> {
public:
    const void *address() const { return address_; } // none if the file is empty
    std::size_t size() const { return size_; }

    friend void intrusive_ptr_add_ref(mapped_file *file);
    friend void intrusive_ptr_release(mapped_file *file);

private:
    friend class mapped_file_cache;
    mapped_file(mapped_file_cache &cache, const struct stat &status)
        : cache_(cache), version_(status), size_(static_cast<std::size_t>(status.st_size)) {}

    mapped_file_cache &cache_;
    const file_version version_;
    void *address_ = nullptr;
    const std::size_t size_;
    std::size_t users_ = 0;
    std::int64_t released_ns_ = 0; // while unused
};

using mapping_ref = boost::intrusive_ptr<mapped_file>;

class mapped_file_cache {
public:
    using mapper = std::function<void *(int descriptor, std::size_t size)>; // as mmap(): MAP_FAILED and errno
    using unmapper = std::function<void(void *address, std::size_t size)>;  // neither throws nor calls the cache back
    struct mapped {
        mapping_ref file; // or none, and
        int error = 0;    // why
    };

    // The mapper is another one in tests only.
    mapped_file_cache(const cache_limits &limits, unmapper unmap, mapper map = map_privately);
    ~mapped_file_cache();
    mapped_file_cache(const mapped_file_cache &) = delete;
    mapped_file_cache &operator=(const mapped_file_cache &) = delete;

    // The file with this status, or none: open it, and insert() it with the status of its descriptor.
    mapping_ref find(const struct stat &status, std::int64_t now_ns);

    // Maps a regular file; if another did so in the meantime, gives that one's. The descriptor stays the caller's. An
    // error is mmap()'s; before ENOMEM (no memory, too many mappings) everything unused was given up and mmap() tried
    // once more.
    mapped insert(const struct stat &status, int descriptor, std::int64_t now_ns);

    // Gives up what has been unused for `idle`, at most expired_at_once. True: there may be more.
    bool expire(std::int64_t now_ns);

    cache_statistics statistics() const;

private:
    friend void intrusive_ptr_add_ref(mapped_file *file);
    friend void intrusive_ptr_release(mapped_file *file);
    struct version_hash {
        std::size_t operator()(const mapped_file &file) const { return hash_value(file.version_); }
    };
    struct same_version {
        bool operator()(const mapped_file &left, const mapped_file &right) const {
            return left.version_ == right.version_;
        }
    };
    using hash_set =
        boost::intrusive::unordered_set<mapped_file, boost::intrusive::hash<version_hash>,
                                        boost::intrusive::equal<same_version>, boost::intrusive::compare_hash<true>,
                                        boost::intrusive::power_2_buckets<true>>;

    static void *map_privately(int descriptor, std::size_t size);
    mapped_file *known(const struct stat &status);
    int map(mapped_file &file, int descriptor);
    void taken(mapped_file &file);
    void released(mapped_file &file);
    void give_up(mapped_file &file);

    const std::size_t unused_max_;
    const std::uint64_t unused_bytes_max_;
    const std::int64_t idle_ns_;
    const unmapper unmap_;
    const mapper map_;
    std::vector<hash_set::bucket_type> buckets_;
    hash_set files_;                             // used and unused
    boost::intrusive::list<mapped_file> unused_; // the latest released is last
    std::int64_t now_ns_ = 0;                    // the latest time it was told: a release comes without one
    std::uint64_t unused_bytes_ = 0;
    std::uint64_t bytes_ = 0; // used and unused
    cache_statistics counts_;
};

} // namespace httpd
