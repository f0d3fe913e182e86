// Lines of a stream that others wrote, each in bounded memory: of a longer one the beginning is kept and that it was cut is
// told. Lines end in LF or CRLF; the last one may have no end.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>

namespace replay {

class line_reader {
public:
    static constexpr std::size_t bytes_max = 65536;

    explicit line_reader(std::istream &in) : in_(in) {}

    // False at the end.
    bool next();

    // Until the next call, which may write into it.
    const std::string &text() const { return text_; }
    bool was_cut() const { return was_cut_; }
    std::size_t number() const { return number_; } // of the line, from 1

private:
    std::istream &in_;
    std::string text_;
    bool was_cut_ = false;
    std::size_t number_ = 0;
};

} // namespace replay
