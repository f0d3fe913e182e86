// A request, and how one is read from its head. What it says of itself in words stays where it was sent and is pointed to:
// a request that is answered before its connection receives anything more costs no copy (request_stream says how long the
// bytes stay). Only the path is a string of its own, for it is decoded, and the list of conditions, which is most often
// empty. Boost.Beast's parser does the syntax (docs/decisions/0009-httpd.md says why); it appears in request.cpp and
// nowhere else. Pure; no system calls.
#pragma once

#include "http/status.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace httpd {

// The fields that make a request conditional, or ask for a part (RFC 9110 sections 13.1 and 14.2).
enum class condition { if_match, if_none_match, if_modified_since, if_unmodified_since, if_range, range };

struct condition_field {
    condition name;
    std::string_view value;
};
inline constexpr std::size_t conditions_max = 16; // lines of these in one head; a client needs five

struct request {
    status verdict = status::ok;   // or why this request can have no file for an answer
    bool framing_lost = false;     // where the next request would begin is not known: answer, then close
    bool is_head = false;          // HEAD: the head of the answer to GET, without its body
    bool keep_alive = false;       // the client wants the connection to persist
    bool is_http_1_0 = false;      // then a persistent connection has to be announced
    std::uint64_t body_length = 0; // bytes of a body that follow the head
    std::string path;              // decode_target()'s, when verdict is ok

    std::vector<condition_field> conditions; // in the order sent; a name can be there more than once

    // For the log, as sent; empty if not sent, or not read because the request is refused. Any bytes can be in there.
    std::string_view line;
    std::string_view referer;
    std::string_view user_agent;

    // Copies the head, so that this request no longer points elsewhere.
    void keep_head();

    std::string_view head;                // as it was read
    std::unique_ptr<char[]> head_storage; // of a kept one
};

// One whose head is not read, or cannot be: its connection ends with the answer. `head` is what there is of it.
request refused_request(status why, std::string_view head);

// Reads a whole head: from the first byte of the request line to the empty line, both included. A body longer than
// `body_limit` bytes is refused (content_too_large). The request points into `head`.
request read_request(std::string_view head, std::uint64_t body_limit);

} // namespace httpd
