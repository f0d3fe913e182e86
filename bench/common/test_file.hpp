// A file of pages of 4 KB, each of which begins with its own number, so that a read can be checked. It has no name: it
// goes away with the process, however that ends.
#pragma once

#include "common/descriptor.hpp"

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace laio::bench {

inline constexpr std::size_t page_size = 4096;

class test_file {
public:
    test_file(const std::string &directory, std::size_t pages);
    test_file(const test_file &) = delete;
    test_file &operator=(const test_file &) = delete;
    ~test_file();

    [[nodiscard]] int fd() const { return file_.get(); }
    [[nodiscard]] std::size_t pages() const { return pages_; }

    static off_t offset_of(std::size_t page) { return static_cast<off_t>(page * page_size); }
    static bool is_page(const void *bytes, std::size_t page);

    void load() const;  // brings all of it into memory
    void evict() const; // asks the kernel to drop all of it
    [[nodiscard]] double resident_share() const;

    // Whether this file system has reads that do not wait (preadv2(2) with RWF_NOWAIT); 0, or the error.
    [[nodiscard]] int nowait_error() const;

private:
    descriptor file_;
    std::size_t pages_;
    void *mapping_;
};

} // namespace laio::bench
