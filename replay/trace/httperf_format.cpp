#include "trace/httperf_format.hpp"

#include "trace/input_error.hpp"
#include "trace/line_reader.hpp"

#include <algorithm>
#include <ostream>

namespace replay {
namespace {

constexpr std::string_view spaces = " \t\v\f";

class reader {
public:
    reader(std::istream &in, const std::string &name, left_out &not_taken)
        : lines_(in), name_(name), not_taken_(not_taken) {}

    trace read() {
        while (next_line()) {
            if (rest_.starts_with('#')) continue;
            skip_spaces();
            if (rest_.empty()) read_.end_sequence();
            else read_request();
        }
        read_.end_sequence();
        if (read_.sequences() == 0) throw input_error(name_ + ": no GET in it");
        return std::move(read_);
    }

private:
    [[noreturn]] void fail(const std::string &what) const { throw input_error(name_, lines_.number(), what); }

    bool next_line() {
        if (!lines_.next()) return false;
        if (lines_.was_cut()) fail("a line longer than " + std::to_string(line_reader::bytes_max) + " bytes");
        rest_ = lines_.text();
        return true;
    }

    void skip_spaces() { rest_.remove_prefix(std::min(rest_.find_first_not_of(spaces), rest_.size())); }

    std::string_view take_word() {
        const auto word = rest_.substr(0, rest_.find_first_of(spaces));
        rest_.remove_prefix(word.size());
        return word;
    }

    // Contents up to the first space outside quotes. What they are is of no interest, only where they end.
    void skip_contents() {
        char quote = 0;
        while (!rest_.empty() && (quote != 0 || spaces.find(rest_.front()) == std::string_view::npos)) {
            const char c = rest_.front();
            rest_.remove_prefix(1);
            if (c == '\\') {
                if (!rest_.empty()) rest_.remove_prefix(1);
                else if (!next_line()) fail("the file ends within contents");
            } else if (c == quote) quote = 0;
            else if (quote == 0 && (c == '"' || c == '\'')) quote = c;
        }
        if (quote != 0) fail("a quote that the line does not close, and no backslash at its end");
    }

    void read_request() {
        const std::string path(take_word());
        bool is_get = true;
        bool has_contents = false;
        for (skip_spaces(); !rest_.empty(); skip_spaces()) {
            if (rest_.starts_with("contents=")) {
                has_contents = true;
                skip_contents();
                continue;
            }
            const auto word = take_word();
            if (word.starts_with("method=")) is_get = word == "method=GET";
            else if (word.starts_with("think=")) ++not_taken_.think_times;
            else fail("'" + std::string(word.substr(0, 80)) + "' is none of method=, think= and contents=");
        }
        if (!is_get) {
            ++not_taken_.other_methods;
            return;
        }
        if (has_contents) ++not_taken_.bodies;
        if (!is_request_path(path)) fail("'" + path.substr(0, 80) + "' is no path");
        if (!read_.add_request(path))
            fail("a session of more than " + std::to_string(trace_limits::sequence_requests) + " requests");
    }

    line_reader lines_;
    const std::string &name_;
    left_out &not_taken_;
    std::string_view rest_; // of the line
    trace read_;
};

} // namespace

trace read_httperf(std::istream &in, const std::string &name, left_out &not_taken) {
    return reader(in, name, not_taken).read();
}

void write_httperf(const trace &from, std::ostream &out, left_out &not_written) {
    for (std::size_t i = 0; i < from.sequences(); ++i) {
        const sequence one = from[i];
        if (one.start) ++not_written.starts;
        if (i != 0) out << '\n';
        for (const path_index path : one.requests) out << from.paths()[path] << '\n';
    }
}

} // namespace replay
