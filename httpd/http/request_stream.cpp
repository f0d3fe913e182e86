#include "http/request_stream.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace httpd {
namespace {

constexpr auto none = std::string_view::npos;

// What a method can begin with; anything else (a TLS handshake, binary garbage) is refused at its first byte.
bool can_begin_request(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c != '\0' && std::strchr("!#$%&'*+-.^_`|~", c) != nullptr);
}

} // namespace

request_stream::request_stream(const request_limits &limits)
    : limits_(limits), buffer_(std::make_unique_for_overwrite<char[]>(limits.head_bytes)) {}

std::span<char> request_stream::room() {
    if (begin_ > 0) {
        std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    return {buffer_.get() + end_, limits_.head_bytes - end_};
}

void request_stream::received(std::size_t length) { end_ += length; }

void request_stream::clear() {
    begin_ = end_ = scanned_ = 0;
    body_left_ = 0;
    waiting_.reset();
}

std::optional<request> request_stream::next() {
    if (!waiting_) {
        waiting_ = read_head();
        if (!waiting_) return std::nullopt;
        body_left_ = waiting_->framing_lost ? 0 : waiting_->body_length;
    }
    drop_body();
    if (body_left_ > 0) {
        if (!waiting_->head_storage) waiting_->keep_head(); // the rest of the body is received over it
        return std::nullopt;
    }
    return std::exchange(waiting_, std::nullopt);
}

std::optional<request> request_stream::read_head() {
    // A client may send empty lines before a request (RFC 9112 section 2.2).
    while (begin_ < end_ && scanned_ == 0 && (buffer_[begin_] == '\r' || buffer_[begin_] == '\n')) ++begin_;
    if (begin_ == end_) return std::nullopt;
    if (!can_begin_request(buffer_[begin_])) return refused_request(status::bad_request, bytes());

    const auto length = find_head_end();
    if (length != none) {
        auto found = read_request(bytes().substr(0, length), limits_.body_bytes);
        consume(length);
        return found;
    }
    if (end_ - begin_ < limits_.head_bytes) return std::nullopt;
    const bool has_request_line = bytes().find('\n') != none;
    const auto why = has_request_line ? status::request_header_fields_too_large : status::uri_too_long;
    return refused_request(why, bytes());
}

void request_stream::drop_body() {
    const auto here = std::min<std::uint64_t>(body_left_, end_ - begin_);
    body_left_ -= here;
    consume(static_cast<std::size_t>(here));
}

// The length of the head up to and with its empty line, or none. Lines that end in a bare LF end a head as well, so that
// their sender is told at once that they are wrong.
std::size_t request_stream::find_head_end() {
    const auto all = bytes();
    auto from = scanned_;
    for (auto lf = all.find('\n', from); lf != none; lf = all.find('\n', from)) {
        const auto before = all.substr(0, lf);
        if (before.ends_with('\n') || before.ends_with("\n\r")) {
            scanned_ = 0;
            return lf + 1;
        }
        from = lf + 1;
    }
    scanned_ = all.size();
    return none;
}

void request_stream::consume(std::size_t length) {
    begin_ += length;
    scanned_ = 0;
    if (begin_ == end_) begin_ = end_ = 0;
}

} // namespace httpd
