#include "trace/text_format.hpp"

#include "trace/input_error.hpp"
#include "trace/input_file.hpp"
#include "trace/seconds.hpp"

#include <istream>
#include <ostream>
#include <streambuf>

namespace replay {
namespace {

class reader {
public:
    reader(std::istream &in, const std::string &name) : bytes_(*in.rdbuf()), name_(name) {}

    trace read() {
        for (; bytes_.sgetc() != eof; ++line_) {
            if (bytes_.sgetc() == '#') skip_line();
            else read_sequence();
        }
        if (read_.sequences() == 0) throw input_error(name_ + ": no sequence in it");
        return std::move(read_);
    }

private:
    static constexpr int eof = std::char_traits<char>::eof();

    [[noreturn]] void fail(const std::string &what) const { throw input_error(name_, line_, what); }

    void skip_line() {
        for (int c = bytes_.sbumpc(); c != '\n' && c != eof;) c = bytes_.sbumpc();
    }

    // A word into word_; what ended it.
    int read_word() {
        word_.clear();
        for (;;) {
            const int c = bytes_.sbumpc();
            if (c == ' ' || c == '\n' || c == eof) return c;
            if (c < ' ' || c == '\x7f') fail("a control character");
            if (word_.size() == trace_limits::path_bytes)
                fail("a path longer than " + std::to_string(trace_limits::path_bytes) + " bytes");
            word_.push_back(static_cast<char>(c));
        }
    }

    void read_sequence() {
        int end = read_word();
        if (word_.empty() && end != ' ') return;
        std::optional<std::chrono::nanoseconds> start;
        if (word_.starts_with('@')) {
            start = parse_seconds(std::string_view(word_).substr(1));
            if (!start) fail("'" + word_ + "' is not '@' and decimal seconds");
            if (end != ' ') fail("a start without requests");
            end = read_word();
        }
        for (;; end = read_word()) {
            if (word_.empty()) fail("there is not one space between two words");
            if (word_.front() != '/') fail("'" + word_.substr(0, 80) + "' does not begin with '/'");
            if (!read_.add_request(word_))
                fail("a sequence of more than " + std::to_string(trace_limits::sequence_requests) + " requests");
            if (end != ' ') break;
        }
        read_.end_sequence(start);
    }

    std::streambuf &bytes_;
    const std::string &name_;
    std::size_t line_ = 1;
    std::string word_;
    trace read_;
};

} // namespace

trace read_text(std::istream &in, const std::string &name) { return reader(in, name).read(); }

trace read_text_file(const std::string &path) {
    input_file in(path);
    return read_text(in.stream(), in.name());
}

void write_text(const trace &from, std::ostream &out) {
    for (std::size_t i = 0; i < from.sequences(); ++i) {
        const sequence one = from[i];
        if (one.start) out << '@' << format_seconds(*one.start) << ' ';
        for (std::size_t j = 0; j < one.requests.size(); ++j) {
            if (j != 0) out << ' ';
            out << from.paths()[one.requests[j]];
        }
        out << '\n';
    }
}

} // namespace replay
