// The rights of the user who started the server, given up for another's once the socket and the files that need them are open.
#pragma once

#include <string>

namespace httpd {

// The user's id, group and supplementary groups; for good. Before there are other threads. Throws std::system_error or
// std::invalid_argument.
void become(const std::string &user);

} // namespace httpd
