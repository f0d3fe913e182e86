#include "cache/name_table.hpp"

#include <algorithm>
#include <bit>
#include <iterator>

namespace httpd {
namespace {

std::uint64_t bytes_of(const name_entry &entry) { return sizeof entry + entry.name.capacity(); }

} // namespace

name_table::name_table(std::size_t entries_max)
    : entries_max_(entries_max), buckets_(std::bit_ceil(std::max<std::size_t>(entries_max, 1))),
      names_(hash_set::bucket_traits(buckets_.data(), buckets_.size())) {}

name_table::~name_table() {
    while (auto *entry = oldest()) erase(*entry);
}

name_entry *name_table::find(std::string_view name, std::size_t hash) {
    const auto known = names_.find(
        name, [hash](std::string_view) { return hash; },
        [](std::string_view wanted, const name_entry &entry) { return wanted == entry.name; });
    return known == names_.end() ? nullptr : &*known;
}

void name_table::use(name_entry &entry, std::int64_t now_ns) {
    entry.used_ns = now_ns;
    order_.splice(order_.end(), order_, order_.iterator_to(entry));
}

void name_table::insert(std::unique_ptr<name_entry> entry) {
    bytes_ += bytes_of(*entry);
    names_.insert(*entry);
    order_.push_back(*entry.release());
}

void name_table::erase(name_entry &entry) {
    bytes_ -= bytes_of(entry);
    names_.erase(names_.iterator_to(entry));
    order_.erase(order_.iterator_to(entry));
    delete &entry;
}

name_entry *name_table::used_after(name_entry &entry) {
    const auto next = std::next(order_.iterator_to(entry));
    return next == order_.end() ? nullptr : &*next;
}

} // namespace httpd
