// Which part of a file a Range field asks for (RFC 9110 section 14): one range of bytes, `first-last`, `first-` or
// `-suffix`. What a server may ignore is ignored, and the whole file is the answer: other units, what is malformed (also a
// last position before the first), and several ranges, whose answer in parts only makes sense to viewers of documents,
// and whose number and overlaps clients have used to make servers work. Pure; no system calls, no allocation.
#pragma once

#include <cstdint>
#include <string_view>

namespace httpd {

// The bytes [first, first + length) of a file; not empty where it is sent.
struct byte_range {
    std::uint64_t first = 0;
    std::uint64_t length = 0;
};

struct range_choice {
    enum class kind {
        whole, // as if there were no Range field
        part,
        none, // the file has not one of these bytes: 416
    };
    kind what = kind::whole;
    byte_range part{};
};

// `field` is the value of the only Range field, `length` the file's. Of an empty file a suffix is the whole.
range_choice choose_range(std::string_view field, std::uint64_t length);

} // namespace httpd
