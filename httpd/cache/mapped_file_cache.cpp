#include "cache/mapped_file_cache.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <utility>

namespace httpd {

void intrusive_ptr_add_ref(mapped_file *file) {
    if (file->users_++ == 0) file->cache_.taken(*file);
}

void intrusive_ptr_release(mapped_file *file) {
    if (--file->users_ == 0) file->cache_.released(*file);
}

mapped_file_cache::mapped_file_cache(const cache_limits &limits, unmapper unmap, mapper map)
    : unused_max_(limits.unused_mappings_max), unused_bytes_max_(limits.unused_mapped_bytes_max),
      idle_ns_(std::chrono::nanoseconds(limits.idle).count()), unmap_(std::move(unmap)), map_(std::move(map)),
      buckets_(std::bit_ceil(std::max<std::size_t>(limits.unused_mappings_max, 1))),
      files_(hash_set::bucket_traits(buckets_.data(), buckets_.size())) {}

mapped_file_cache::~mapped_file_cache() {
    while (!unused_.empty()) give_up(unused_.front());
    if (!files_.empty()) std::abort(); // references would lead to a cache that is no more
}

void *mapped_file_cache::map_privately(int descriptor, std::size_t size) {
    return ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
}

mapping_ref mapped_file_cache::find(const struct stat &status, std::int64_t now_ns) {
    now_ns_ = now_ns;
    mapping_ref file = known(status);
    ++(file ? counts_.hits : counts_.misses);
    return file;
}

mapped_file *mapped_file_cache::known(const struct stat &status) {
    const auto same = [](const file_version &wanted, const mapped_file &file) { return wanted == file.version_; };
    const auto place = files_.find(file_version(status), std::hash<file_version>(), same);
    return place == files_.end() ? nullptr : &*place;
}

mapped_file_cache::mapped mapped_file_cache::insert(const struct stat &status, int descriptor, std::int64_t now_ns) {
    now_ns_ = now_ns;
    if (auto *file = known(status)) return {file, 0};

    std::unique_ptr<mapped_file> file(new mapped_file(*this, status));
    if (const int error = map(*file, descriptor)) return {nullptr, error};
    bytes_ += file->size_;
    files_.insert(*file);
    return {file.release(), 0};
}

int mapped_file_cache::map(mapped_file &file, int descriptor) {
    if (file.size_ == 0) return 0;
    file.address_ = map_(descriptor, file.size_);
    if (file.address_ == MAP_FAILED && errno == ENOMEM && !unused_.empty()) {
        for (; !unused_.empty(); ++counts_.evicted) give_up(unused_.front());
        file.address_ = map_(descriptor, file.size_);
    }
    return file.address_ == MAP_FAILED ? errno : 0;
}

void mapped_file_cache::taken(mapped_file &file) {
    if (!file.boost::intrusive::list_base_hook<>::is_linked()) return; // it is new
    unused_.erase(unused_.iterator_to(file));
    unused_bytes_ -= file.size_;
}

void mapped_file_cache::released(mapped_file &file) {
    file.released_ns_ = now_ns_;
    // A file that is too big by itself must not put out all others first.
    unused_.insert(file.size_ > unused_bytes_max_ ? unused_.begin() : unused_.end(), file);
    unused_bytes_ += file.size_;
    for (; unused_.size() > unused_max_ || unused_bytes_ > unused_bytes_max_; ++counts_.evicted)
        give_up(unused_.front());
}

void mapped_file_cache::give_up(mapped_file &file) {
    const std::unique_ptr<mapped_file> owned(&file);
    unused_.erase(unused_.iterator_to(file));
    files_.erase(files_.iterator_to(file));
    unused_bytes_ -= file.size_;
    bytes_ -= file.size_;
    if (file.address_) unmap_(file.address_, file.size_);
}

bool mapped_file_cache::expire(std::int64_t now_ns) {
    now_ns_ = now_ns;
    auto left = expired_at_once;
    for (; left > 0 && !unused_.empty() && unused_.front().released_ns_ <= now_ns - idle_ns_; --left) {
        give_up(unused_.front());
        ++counts_.expired;
    }
    return left == 0;
}

cache_statistics mapped_file_cache::statistics() const {
    auto all = counts_;
    all.entries = files_.size();
    all.bytes = bytes_;
    return all;
}

} // namespace httpd
