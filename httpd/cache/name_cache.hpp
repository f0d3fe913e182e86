// What is known of the names that are asked for: Flash's cache of pathnames and of open descriptors in one, for a
// pathname is asked for to get its descriptor. A name has an open file, or an error (no such file, a directory to be
// redirected to...). It makes no system call and knows no clock. Times are monotonic; that of an answer is when the
// disk was *asked*, so that what is older than `valid` is never taken for true. One thread. A file lives on with those
// who use it (open_file.hpp). Files and errors are bounded apart and lie in tables of their own: names that a stranger
// makes up can neither push out a file nor, with equal hashes, stand in the way of finding one; they cost others that
// have no file negative_names_max compares at the most. One table with two bounds lost for that. What comes of two who
// ask at once: joined.hpp.
#pragma once

#include "cache/cache_limits.hpp"
#include "cache/cache_statistics.hpp"
#include "cache/name_table.hpp"

namespace httpd {

class name_cache {
public:
    enum class knowledge {
        none,  // ask the disk, then insert()
        fresh, // the file, or the error if there is none
        stale, // the file, if the name still means it: ask the disk for its status, then renew() or insert() the error
    };
    struct found {
        knowledge known = knowledge::none;
        file_ref file;
        int error = 0;
    };

    explicit name_cache(const cache_limits &limits);

    // Names are any bytes, by which their owner will ask again. Counts as a use.
    found find(std::string_view name, std::int64_t now_ns);

    // What the disk said, in place of what it said before. The first puts out the file that was not used for longest
    // when there are too many, the second the error. Too long a name is not remembered, nor is an error that says
    // something of the machine and not of the name (EMFILE, EIO...).
    void insert(std::string_view name, file_ref file, std::int64_t asked_ns);
    void insert(std::string_view name, int error, std::int64_t asked_ns);

    // The status that the name has now: of the name, not of the descriptor, which would not tell that another file took
    // its place. True: it is the same file, unchanged, and fresh again. False: not known, or known no longer; ask the
    // disk.
    bool renew(std::string_view name, const struct stat &status, std::int64_t asked_ns);

    void forget(std::string_view name);

    // Gives up files unused for `idle` and errors unused for `valid`, at most expired_at_once. True: there may be more.
    bool expire(std::int64_t now_ns);

    // For want of descriptors: gives up the files unused for longest whose descriptors nobody else holds, and says how
    // many there were. It may look at every file for it: to be called when a call failed, not before each.
    std::size_t shrink(std::size_t files);

    cache_statistics statistics() const;

private:
    name_entry *fresh_error(std::string_view name, std::size_t hash, std::int64_t now_ns);
    void insert(name_table &table, std::string_view name, file_ref file, int error, std::int64_t asked_ns);
    void expire(name_table &table, std::int64_t unused_since_ns, std::size_t &left);

    const std::size_t name_bytes_max_;
    const std::int64_t valid_ns_;
    const std::int64_t idle_ns_;
    name_table files_;
    name_table errors_;
    cache_statistics counts_; // what it holds stands in the tables
};

} // namespace httpd
