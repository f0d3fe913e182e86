// Names, found by hash and held in order of use, at most so many of them. It knows the place of an entry, not its
// meaning: that is name_cache's. Owns its entries. One thread.
// An entry is one allocation, linked into the buckets and into the order: a std::unordered_map with a std::list beside
// it lost, which makes two, and computes the hash again when it erases. The buckets are as many as the limit needs from
// the start: no find() ever waits for a rehash.
#pragma once

#include "cache/name_hash.hpp"
#include "cache/open_file.hpp"

#include <boost/intrusive/list.hpp>
#include <boost/intrusive/unordered_set.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace httpd {

struct name_entry : boost::intrusive::list_base_hook<>,
                    boost::intrusive::unordered_set_base_hook<boost::intrusive::store_hash<true>> {
    std::string name;
    file_ref file; // or none, and
    int error = 0; // why
    std::int64_t validated_ns = 0;
    std::int64_t used_ns = 0;
};

class name_table {
public:
    explicit name_table(std::size_t entries_max);
    ~name_table();
    name_table(const name_table &) = delete;
    name_table &operator=(const name_table &) = delete;

    // `hash` is name_hash()'s: the caller asks two tables with one.
    name_entry *find(std::string_view name, std::size_t hash);
    void use(name_entry &entry, std::int64_t now_ns); // it is the latest used now
    void insert(std::unique_ptr<name_entry> entry);   // a name that is not there; it is the latest used
    void erase(name_entry &entry);

    name_entry *oldest() { return order_.empty() ? nullptr : &order_.front(); }
    name_entry *used_after(name_entry &entry);

    std::size_t entries_max() const { return entries_max_; }
    std::size_t size() const { return order_.size(); }
    std::uint64_t bytes() const { return bytes_; }

private:
    struct entry_hash {
        std::size_t operator()(const name_entry &entry) const { return name_hash()(entry.name); }
    };
    struct equal_names {
        bool operator()(const name_entry &left, const name_entry &right) const { return left.name == right.name; }
    };
    using hash_set =
        boost::intrusive::unordered_set<name_entry, boost::intrusive::hash<entry_hash>,
                                        boost::intrusive::equal<equal_names>, boost::intrusive::compare_hash<true>,
                                        boost::intrusive::power_2_buckets<true>>;

    std::size_t entries_max_;
    std::vector<hash_set::bucket_type> buckets_;
    hash_set names_;
    boost::intrusive::list<name_entry> order_; // the latest used is last
    std::uint64_t bytes_ = 0;
};

} // namespace httpd
