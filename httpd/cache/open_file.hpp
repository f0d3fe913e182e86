// An open regular file that several connections and the cache of names share: its descriptor, its status as of when it
// was opened, and what a response's head says of it. One thread: the count of references is a plain number.
// It lives until the last file_ref lets go; then the descriptor goes to the closer, which outlives all files. The file
// makes no close() of its own, for that can wait for a disk (it may be what frees the blocks of a deleted file).
#pragma once

#include "http/response_head.hpp"

#include <sys/stat.h>

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <cstddef>
#include <functional>
#include <optional>

namespace httpd {

// Takes a descriptor to be closed. Neither throws nor calls the cache back.
using descriptor_closer = std::function<void(int descriptor)>;

class open_file final {
public:
    open_file(int descriptor, const struct stat &status, const descriptor_closer &closer)
        : closer_(closer), descriptor_(descriptor), status_(status) {}
    open_file(const open_file &) = delete;
    open_file &operator=(const open_file &) = delete;

    int descriptor() const { return descriptor_; }
    const struct stat &status() const { return status_; }
    std::size_t users() const { return users_; } // file_refs

    // The header cache: what the head of a response says of the file. Whoever first needs it writes it.
    std::optional<file_head> head;

private:
    friend void intrusive_ptr_add_ref(open_file *file) { ++file->users_; }
    friend void intrusive_ptr_release(open_file *file) {
        if (--file->users_ == 0) end(file);
    }
    static void end(open_file *file);
    ~open_file() = default;

    const descriptor_closer &closer_;
    const int descriptor_;
    const struct stat status_;
    std::size_t users_ = 0;
};

using file_ref = boost::intrusive_ptr<open_file>;

} // namespace httpd
