#include "client/response_reader.hpp"

#include <boost/asio/buffer.hpp>

#include <algorithm>
#include <limits>

namespace replay {

namespace http = boost::beast::http;

response_reader::head_parser::head_parser() {
    header_limit(head_bytes_max);
    body_limit(std::numeric_limits<std::uint64_t>::max()); // boost::none refuses every length (1.74)
}

void response_reader::start(std::optional<content> expected) {
    parser_.emplace();
    expected_ = expected;
    pending_.clear();
    framing_ = framing::head;
    chunks_ = {};
    left_ = body_bytes_ = 0;
    status_ = interim_ = 0;
    begun_ = ended_ = persists_ = false;
    matches_ = true;
    why_ = failure::none;
}

void response_reader::take(std::string_view bytes) {
    if (bytes.empty() || (ended_ && why_ != failure::none)) return;
    begun_ = true;
    if (pending_.empty()) {
        pending_ = bytes.substr(consume(bytes));
    } else {
        pending_ += bytes;
        pending_.erase(0, consume(pending_));
    }
    if (ended_ && !pending_.empty() && why_ == failure::none) end(failure::too_long);
}

// Returns how many were used.
std::size_t response_reader::consume(std::string_view bytes) {
    std::size_t used = 0;
    while (used < bytes.size() && !ended_) {
        const auto rest = bytes.substr(used);
        const auto step = framing_ == framing::head     ? read_head(rest)
                          : framing_ == framing::chunks ? read_chunks(rest)
                                                        : read_bytes(rest);
        if (step == 0) break;
        used += step;
    }
    return used;
}

// 0: it wants to see these again, with more.
std::size_t response_reader::read_head(std::string_view bytes) {
    boost::beast::error_code error;
    const auto used = parser_->put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    if (error && error != http::error::need_more) end(failure::malformed);
    else if (parser_->is_header_done()) end_head();
    return used;
}

void response_reader::end_head() {
    const int status = parser_->status;
    if (status / 100 == 1 && status != 101) {
        if (++interim_ > interim_responses_max) end(failure::malformed);
        parser_.emplace();
        return;
    }
    status_ = status;
    persists_ = parser_->keep_alive();
    left_ = parser_->content_length().value_or(0);
    framing_ = parser_->chunked() ? framing::chunks : parser_->need_eof() ? framing::to_close : framing::length;
    if (parser_->is_done()) end(failure::none);
}

std::size_t response_reader::read_chunks(std::string_view bytes) {
    const auto [used, content] = chunks_.take(bytes);
    take_body(content);
    if (chunks_.broken()) end(failure::malformed);
    if (chunks_.ended()) end(failure::none);
    return used;
}

std::size_t response_reader::read_bytes(std::string_view bytes) {
    if (framing_ == framing::length) bytes = bytes.substr(0, left_);
    take_body(bytes);
    left_ -= framing_ == framing::length ? bytes.size() : 0;
    if (framing_ == framing::length && left_ == 0) end(failure::none);
    return bytes.size();
}

void response_reader::take_body(std::string_view bytes) {
    if (expected_) matches_ = matches_ && expected_->matches(body_bytes_, std::as_bytes(std::span(bytes)));
    body_bytes_ += bytes.size();
}

void response_reader::dropped(std::uint64_t bytes) {
    const bool too_many = bytes > left_;
    bytes = std::min(bytes, left_);
    left_ -= bytes;
    body_bytes_ += bytes;
    if (left_ == 0) end(too_many ? failure::too_long : failure::none);
}

void response_reader::peer_closed() {
    if (ended_) return;
    if (!begun_) end(failure::closed);
    else end(framing_ == framing::to_close ? failure::none : failure::truncated);
}

void response_reader::end(failure why) {
    ended_ = true;
    why_ = why;
    if (why != failure::none) persists_ = false;
}

failure response_reader::verdict() const {
    if (why_ != failure::none) return why_;
    if (!is_good()) return failure::bad_status;
    return matches_ ? failure::none : failure::wrong_body;
}

} // namespace replay
