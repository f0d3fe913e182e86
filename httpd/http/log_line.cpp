#include "http/log_line.hpp"

#include <algorithm>
#include <charconv>

namespace httpd {
namespace {

constexpr std::string_view cut_mark = "...";

bool is_plain(char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

// Where the room ends need not be asked: the limits of the fields add up to less.
class line_writer {
public:
    explicit line_writer(char *begin) : begin_(begin), end_(begin) {}

    void put(std::string_view text) { end_ = std::copy(text.begin(), text.end(), end_); }
    void put(std::uint64_t number) { end_ = std::to_chars(end_, end_ + 20, number).ptr; }

    void put_field(std::string_view text, std::size_t limit) {
        if (text.empty()) text = "-";
        const char *const last = end_ + limit - cut_mark.size();
        for (const char c : text) {
            if (end_ + (is_plain(c) ? 1 : 4) > last) return put(cut_mark);
            is_plain(c) ? put({&c, 1}) : put_escaped(static_cast<unsigned char>(c));
        }
    }

    std::string_view line() const { return {begin_, static_cast<std::size_t>(end_ - begin_)}; }

private:
    void put_escaped(unsigned char byte) {
        static constexpr char digits[] = "0123456789ABCDEF";
        const char escape[] = {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
        put({escape, sizeof escape});
    }

    char *begin_;
    char *end_;
};

} // namespace

std::string_view format_log_line(const log_entry &entry, std::string_view date, std::span<char, log_line_max> room) {
    line_writer out(room.data());
    out.put_field(entry.host, log_limits::host);
    out.put(" - - [");
    out.put_field(date, log_limits::date);
    out.put("] \"");
    out.put_field(entry.line, log_limits::line);
    out.put("\" ");
    out.put(static_cast<std::uint64_t>(code_of(entry.code)));
    out.put(" ");
    out.put(entry.body_bytes);
    out.put(" \"");
    out.put_field(entry.referer, log_limits::referer);
    out.put("\" \"");
    out.put_field(entry.user_agent, log_limits::user_agent);
    out.put("\"\n");
    return out.line();
}

} // namespace httpd
