// From the target of a request line to the name of a file, and back. The name is relative to the document root and
// normal: no empty, "." or ".." segment, no NUL or control character, no leading slash. This is tidiness, not the lock on
// the door: that the root is not left is the kernel's business (openat2 with RESOLVE_BENEATH, disk/laio_disk.cpp), because
// only it sees symbolic links. Pure functions; no system calls.
#pragma once

#include "http/status.hpp"

#include <string>
#include <string_view>

namespace httpd {

// Decodes `target` (origin form or absolute form, RFC 9112 section 3.2) into `path`. A path that is empty or ends in a
// slash names a directory. Returns status::ok, or why the target names nothing: bad_request (not a target, a bad escape, a
// control character, above the root) or not_found (an encoded slash: no file can have one in its name).
status decode_target(std::string_view target, std::string &path);

// The inverse, for the Location of a redirect: a slash, and `path` with everything escaped that is not plainly itself in
// a path. Beginning with exactly one slash, it can never be read as "//another.host".
std::string encode_path(std::string_view path);

} // namespace httpd
