// A request, and how one is read from its head. The bytes of the head are only looked at during read_request(); what a
// request keeps, it copies. Boost.Beast's parser does the syntax (docs/decisions/0009-httpd.md says why); it appears in
// request.cpp and nowhere else. Pure; no system calls.
#pragma once

#include "http/status.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace httpd {

struct request {
    status verdict = status::ok;   // or why this request can have no file for an answer
    bool framing_lost = false;     // where the next request would begin is not known: answer, then close
    bool is_head = false;          // HEAD: the head of the answer to GET, without its body
    bool keep_alive = false;       // the client wants the connection to persist
    bool is_http_1_0 = false;      // then a persistent connection has to be announced
    std::uint64_t body_length = 0; // bytes of a body that follow the head
    std::string path;              // decode_target()'s, when verdict is ok
};

// One whose head is not read, or cannot be: its connection ends with the answer.
request refused_request(status why);

// Reads a whole head: from the first byte of the request line to the empty line, both included. A body longer than
// `body_limit` bytes is refused (content_too_large).
request read_request(std::string_view head, std::uint64_t body_limit);

} // namespace httpd
