// The Content-Type of a file, by the ending of its name: one table, in media_type.cpp. Pure; no system calls.
#pragma once

#include <string_view>

namespace httpd {

// Never empty: "application/octet-stream" for an ending that the table does not have.
std::string_view media_type_of(std::string_view path);

} // namespace httpd
