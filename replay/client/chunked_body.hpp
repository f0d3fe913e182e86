// A body in chunks (RFC 9112, 7.1), out of its bytes however they are cut: what is framing and what is content. Extensions
// and trailers are passed over: the line of a size may have 4 KB, all trailers together 64 KB. Pure; no memory but itself.
// Beast's reader of chunks lost: 1.74 asserts what an empty body that comes in pieces does not hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace replay {

class chunked_body {
public:
    struct step {
        std::size_t used;         // so many bytes, at least one
        std::string_view content; // which they held
    };

    // The next bytes, of which there are some; not after the end or an error.
    step take(std::string_view bytes);

    bool ended() const { return part_ == part::end; }
    bool broken() const { return part_ == part::error; }

private:
    enum class part {
        size,
        extension,
        size_end,
        content,
        content_cr,
        content_lf,
        line_start,
        trailer,
        last_lf,
        end,
        error
    };

    part after(char c);
    part in_size(char c);

    part part_ = part::size;
    bool has_digit_ = false;
    std::uint64_t left_ = 0; // of the chunk
    std::uint32_t framing_bytes_ = 0;
};

} // namespace replay
