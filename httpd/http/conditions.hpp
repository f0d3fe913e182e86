// What the conditions of a request come to: preconditions in the order of RFC 9110 section 13.2.2, then If-Range and
// Range. To be asked when the answer would otherwise be the file (section 13.2.1): not for errors and redirects. Dates that
// are malformed or given twice are ignored, as section 13.1 says; lists of entity tags may be spread over several fields.
// An If-Range with a date holds when it is exactly the date of modification: section 13.1.5 would have it be a strong one,
// which a date of seconds never is for certain, but whoever sends it has got it from us. Pure; no system calls.
#pragma once

#include "http/range.hpp"
#include "http/representation.hpp"
#include "http/request.hpp"

#include <ctime>

namespace httpd {

struct judgement {
    // ok, partial_content, not_modified, precondition_failed or range_not_satisfiable
    status code = status::ok;
    byte_range part{}; // of the file that is the body of the answer to GET: for ok all of it
};

// The others are answers without anything of the file: answer_head has them.
constexpr bool sends_file(const judgement &outcome) {
    return outcome.code != status::precondition_failed && outcome.code != status::range_not_satisfiable;
}

// For a GET or HEAD whose verdict is ok. `now` is for dates with a year of two digits.
judgement judge_conditions(const request &asked, const representation &file, std::time_t now);

} // namespace httpd
