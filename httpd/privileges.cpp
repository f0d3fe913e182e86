#include "privileges.hpp"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace httpd {

void become(const std::string &user) {
    const passwd *found = getpwnam(user.c_str());
    if (found == nullptr) throw std::invalid_argument("no such user: " + user);
    if (initgroups(user.c_str(), found->pw_gid) != 0 || setgid(found->pw_gid) != 0 || setuid(found->pw_uid) != 0)
        throw std::system_error(errno, std::generic_category(), "cannot become " + user);
}

} // namespace httpd
