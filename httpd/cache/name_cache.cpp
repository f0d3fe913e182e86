#include "cache/name_cache.hpp"

#include "cache/file_version.hpp"

#include <cerrno>
#include <cstdlib>
#include <utility>

namespace httpd {
namespace {

std::int64_t nanoseconds(std::chrono::milliseconds time) { return std::chrono::nanoseconds(time).count(); }

// Of the name, as long as nobody changes the tree. What is not listed may be otherwise a moment later.
bool is_of_the_name(int error) {
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case EACCES:
    case EPERM:
    case ELOOP:
    case ENAMETOOLONG:
    case EXDEV: // leads out of the document root
    case ENXIO:
    case ENODEV: return true;
    default: return false;
    }
}

} // namespace

name_cache::name_cache(const cache_limits &limits)
    : name_bytes_max_(limits.name_bytes_max), valid_ns_(nanoseconds(limits.valid)), idle_ns_(nanoseconds(limits.idle)),
      files_(limits.files_max), errors_(limits.negative_names_max) {}

name_cache::found name_cache::find(std::string_view name, std::int64_t now_ns) {
    if (name.size() <= name_bytes_max_) {
        const auto hash = name_hash()(name);
        if (auto *entry = files_.find(name, hash)) {
            files_.use(*entry, now_ns);
            const bool fresh = now_ns - entry->validated_ns < valid_ns_;
            ++(fresh ? counts_.hits : counts_.stale);
            return {fresh ? knowledge::fresh : knowledge::stale, entry->file, 0};
        }
        if (const auto *entry = fresh_error(name, hash, now_ns)) {
            ++counts_.negative_hits;
            return {knowledge::fresh, nullptr, entry->error};
        }
    }
    ++counts_.misses;
    return {};
}

// To validate an error costs what it costs to ask anew: a stale one is dropped.
name_entry *name_cache::fresh_error(std::string_view name, std::size_t hash, std::int64_t now_ns) {
    auto *entry = errors_.find(name, hash);
    if (!entry) return nullptr;
    if (now_ns - entry->validated_ns < valid_ns_) {
        errors_.use(*entry, now_ns);
        return entry;
    }
    errors_.erase(*entry);
    ++counts_.expired;
    return nullptr;
}

void name_cache::insert(std::string_view name, file_ref file, std::int64_t asked_ns) {
    if (!file) std::abort();
    forget(name);
    insert(files_, name, std::move(file), 0, asked_ns);
}

void name_cache::insert(std::string_view name, int error, std::int64_t asked_ns) {
    forget(name);
    if (is_of_the_name(error)) insert(errors_, name, nullptr, error, asked_ns);
}

void name_cache::insert(name_table &table, std::string_view name, file_ref file, int error, std::int64_t asked_ns) {
    if (name.size() > name_bytes_max_ || table.entries_max() == 0) return;
    if (table.size() == table.entries_max()) {
        table.erase(*table.oldest());
        ++counts_.evicted;
    }
    auto entry = std::make_unique<name_entry>();
    entry->name = name;
    entry->file = std::move(file);
    entry->error = error;
    entry->validated_ns = asked_ns;
    entry->used_ns = asked_ns;
    table.insert(std::move(entry));
}

bool name_cache::renew(std::string_view name, const struct stat &status, std::int64_t asked_ns) {
    auto *entry = files_.find(name, name_hash()(name));
    if (!entry) return false;
    if (file_version(status) != file_version(entry->file->status())) {
        files_.erase(*entry);
        ++counts_.changed;
        return false;
    }
    entry->validated_ns = asked_ns;
    return true;
}

void name_cache::forget(std::string_view name) {
    const auto hash = name_hash()(name);
    if (auto *entry = files_.find(name, hash)) files_.erase(*entry);
    if (auto *entry = errors_.find(name, hash)) errors_.erase(*entry);
}

bool name_cache::expire(std::int64_t now_ns) {
    auto left = expired_at_once;
    expire(files_, now_ns - idle_ns_, left);
    expire(errors_, now_ns - valid_ns_, left);
    return left == 0;
}

void name_cache::expire(name_table &table, std::int64_t unused_since_ns, std::size_t &left) {
    for (auto *entry = table.oldest(); entry && entry->used_ns <= unused_since_ns && left > 0; entry = table.oldest()) {
        table.erase(*entry);
        ++counts_.expired;
        --left;
    }
}

std::size_t name_cache::shrink(std::size_t files) {
    std::size_t given_up = 0;
    for (auto *entry = files_.oldest(); entry && given_up < files;) {
        auto *next = files_.used_after(*entry);
        if (entry->file->users() == 1) {
            files_.erase(*entry);
            ++given_up;
        }
        entry = next;
    }
    counts_.evicted += given_up;
    return given_up;
}

cache_statistics name_cache::statistics() const {
    auto all = counts_;
    all.entries = files_.size() + errors_.size();
    all.negative_entries = errors_.size();
    all.bytes = files_.bytes() + errors_.bytes();
    return all;
}

} // namespace httpd
