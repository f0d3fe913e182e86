// The bytes that a connection received and the requests in them: as many as the client sent at once (pipelining), or a
// part of one. Owns one buffer of fixed size, in which the head of a request must fit; bodies are dropped as they come.
// Which requests come out does not depend on how their bytes were cut into pieces. Pure; no system calls.
// A buffer that grows lost: its bound is then a second rule to get right, and the memory of one connection a surprise.
#pragma once

#include "http/request.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace httpd {

struct request_limits {
    std::size_t head_bytes = 8192;
    std::uint64_t body_bytes = 65536;
};

class request_stream {
public:
    explicit request_stream(const request_limits &limits);

    // Where the next bytes go. Not empty when next() has just said that there is no whole request. Valid until the next
    // call of a function of this object; a receive in the background may write there meanwhile.
    std::span<char> room();
    void received(std::size_t length); // so many were put there

    // The next request, when all of it is here. One whose framing_lost is set is the last. What it points to stays until
    // room() is called, also when further requests are taken out meanwhile.
    std::optional<request> next();

    // Nothing of a further request is here.
    bool empty() const { return begin_ == end_ && body_left_ == 0; }

    void clear();

private:
    std::optional<request> read_head();
    void drop_body();
    std::size_t find_head_end();
    std::string_view bytes() const { return {buffer_.get() + begin_, end_ - begin_}; }
    void consume(std::size_t length);

    request_limits limits_;
    std::unique_ptr<char[]> buffer_;
    std::size_t begin_ = 0;          // of what was not consumed
    std::size_t end_ = 0;            // of what was received
    std::size_t scanned_ = 0;        // from begin_: so far there is no end of a head
    std::uint64_t body_left_ = 0;    // of waiting_'s body, to be dropped
    std::optional<request> waiting_; // its head was read, its body is not all here
};

} // namespace httpd
