#include "client/response_reader.hpp"

#include <boost/asio/buffer.hpp>

#include <algorithm>
#include <limits>

namespace replay {

namespace http = boost::beast::http;

response_reader::head_parser::head_parser(response_reader &reader) : reader_(reader) {
    header_limit(head_bytes_max);
    body_limit(std::numeric_limits<std::uint64_t>::max()); // boost::none refuses every length (1.74)
}

void response_reader::head_parser::on_response_impl(int code, string_view /*reason*/, int /*version*/,
                                                    error_code & /*error*/) {
    reader_.status_ = code;
}

std::size_t response_reader::head_parser::on_body_impl(string_view body, error_code & /*error*/) {
    reader_.take_body({body.data(), body.size()});
    return body.size();
}

std::size_t response_reader::head_parser::on_chunk_body_impl(std::uint64_t /*left*/, string_view body,
                                                             error_code &error) {
    return on_body_impl(body, error);
}

void response_reader::start(std::optional<content> expected) {
    parser_.emplace(*this);
    expected_ = expected;
    pending_.clear();
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
    if (!ended_ && pending_.size() > head_bytes_max) end(failure::malformed);
    if (ended_ && !pending_.empty() && why_ == failure::none) why_ = failure::too_long;
}

// Returns how many were used.
std::size_t response_reader::consume(std::string_view bytes) {
    std::size_t used = 0;
    while (used < bytes.size() && !ended_) {
        auto rest = bytes.substr(used);
        if (left_ > 0) {
            rest = rest.substr(0, left_);
            take_body(rest);
            left_ -= rest.size();
            used += rest.size();
            if (left_ == 0) end(failure::none);
        } else {
            const auto step = parse(rest);
            if (step == 0) break;
            used += step;
        }
    }
    return used;
}

std::size_t response_reader::parse(std::string_view bytes) {
    const bool had_head = parser_->is_header_done();
    boost::beast::error_code error;
    const auto used = parser_->put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    if (error && error != http::error::need_more)
        end(failure::malformed);
    else if (!had_head && parser_->is_header_done())
        end_head();
    else if (parser_->is_done())
        end(failure::none);
    return used;
}

void response_reader::end_head() {
    if (status_ / 100 == 1 && status_ != 101) {
        status_ = 0;
        if (++interim_ > interim_responses_max)
            end(failure::malformed);
        else
            parser_.emplace(*this);
        return;
    }
    persists_ = parser_->keep_alive();
    if (parser_->is_done())
        end(failure::none);
    else
        left_ = parser_->content_length().value_or(0);
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
    if (!begun_)
        end(failure::closed);
    else
        end(parser_->is_header_done() && parser_->need_eof() ? failure::none : failure::truncated);
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
