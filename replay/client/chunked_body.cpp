#include "client/chunked_body.hpp"

#include "hex_digit.hpp"

namespace replay {

namespace {

constexpr std::uint32_t line_bytes_max = 4096, trailer_bytes_max = 65536;

} // namespace

chunked_body::step chunked_body::take(std::string_view bytes) {
    if (part_ == part::content) {
        const auto content = bytes.substr(0, left_);
        left_ -= content.size();
        if (left_ == 0) part_ = part::content_cr;
        return {content.size(), content};
    }
    std::size_t used = 0;
    while (used < bytes.size() && part_ != part::content && !ended() && !broken()) part_ = after(bytes[used++]);
    return {used, {}};
}

// The part that follows when `c` was seen in this one.
chunked_body::part chunked_body::after(char c) {
    ++framing_bytes_;
    switch (part_) {
    case part::size: return in_size(c);
    case part::extension:
        if (framing_bytes_ > line_bytes_max) return part::error;
        return c == '\r' ? part::size_end : c == '\n' ? part::error : part::extension;
    case part::size_end:
        if (c != '\n') return part::error;
        framing_bytes_ = 0;
        return left_ > 0 ? part::content : part::line_start;
    case part::content_cr: return c == '\r' ? part::content_lf : part::error;
    case part::content_lf:
        has_digit_ = false;
        framing_bytes_ = 0;
        return c == '\n' ? part::size : part::error;
    case part::line_start: return c == '\r' ? part::last_lf : c == '\n' ? part::error : part::trailer;
    case part::trailer:
        if (framing_bytes_ > trailer_bytes_max) return part::error;
        return c == '\n' ? part::line_start : part::trailer;
    case part::last_lf: return c == '\n' ? part::end : part::error;
    case part::content:
    case part::end:
    case part::error: break;
    }
    return part_;
}

chunked_body::part chunked_body::in_size(char c) {
    if (const int digit = hex_digit(c); digit >= 0) {
        // More than 2^62 bytes, or zeros without end.
        if (left_ >> 58 != 0 || framing_bytes_ > line_bytes_max) return part::error;
        left_ = left_ * 16 + static_cast<unsigned>(digit);
        has_digit_ = true;
        return part::size;
    }
    if (!has_digit_) return part::error;
    if (c == '\r') return part::size_end;
    return c == ';' || c == ' ' || c == '\t' ? part::extension : part::error;
}

} // namespace replay
