// The entity tag of a file: a strong validator (RFC 9110 section 8.8.3), made from what stat(2) says. The time of
// modification with its nanoseconds and the size tell contents apart that were written one after the other; the number of
// the inode those that were put in place by rename(2) with a time that never changes, as reproducible builds and package
// stores give to all their files. What is left: two contents of one size written in place within one tick of the file
// system's clock. Pure; no system calls.
// The time of change (ctime) lost: a chmod or a backup's hard link would make every client fetch the file again.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

struct stat;

namespace httpd {

class entity_tag {
public:
    entity_tag() = default; // an empty text
    explicit entity_tag(const struct stat &file);

    std::string_view text() const { return {text_.data(), length_}; } // with its quotes, as ETag has it

private:
    std::array<char, 2 + 3 * 16 + 2> text_; // three hexadecimal numbers between two quotes, two hyphens between them
    std::size_t length_ = 0;
};

} // namespace httpd
