#include "trace/line_reader.hpp"

#include <istream>
#include <streambuf>

namespace replay {

bool line_reader::next() {
    constexpr int eof = std::char_traits<char>::eof();
    std::streambuf &bytes = *in_.rdbuf();
    text_.clear();
    was_cut_ = false;
    int c = bytes.sbumpc();
    if (c == eof) return false;
    for (; c != '\n' && c != eof; c = bytes.sbumpc()) {
        if (text_.size() < bytes_max) text_.push_back(static_cast<char>(c));
        else was_cut_ = true;
    }
    if (!was_cut_ && text_.ends_with('\r')) text_.pop_back();
    ++number_;
    return true;
}

} // namespace replay
