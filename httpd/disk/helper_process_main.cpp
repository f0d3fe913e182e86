// The other side of helper_process.hpp: the child. Nothing here may allocate, lock or throw.
#include "disk/helper_message.hpp"
#include "disk/helper_process.hpp"

#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>

namespace httpd {
namespace {

void close_from_to(int first, int last) {
    if (first <= last) ::close_range(static_cast<unsigned>(first), static_cast<unsigned>(last), 0);
}

// Standard output, too: who reads it waits for its end.
void close_all_but(int one, int another) {
    const auto [low, high] = std::minmax(one, another);
    close_from_to(0, low - 1);
    close_from_to(low + 1, high - 1);
    close_from_to(high + 1, INT_MAX);
}

void answer(int socket, errand_result result, int descriptor) {
    std::array parts{iovec{&result, sizeof result}};
    if (send_message(socket, parts, descriptor, 0) >= 0 || descriptor < 0) return;
    result = errand_result::failure(errno); // too many descriptors on their way
    send_message(socket, parts, -1, 0);
}

} // namespace

void helper_process_main(int socket, int root, pid_t server) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != server) ::_exit(0); // it was too late for that
    ::prctl(PR_SET_NAME, "httpd-helper");
    close_all_but(socket, root);
    for (;;) {
        errand_order order{};
        std::array<char, PATH_MAX> name{};
        std::array parts{iovec{&order, sizeof order}, iovec{name.data(), name.size()}};
        int file = -1;
        if (receive_message(socket, parts, file, 0) <= static_cast<ssize_t>(sizeof order)) ::_exit(0);
        const auto result = run_errand(root, order, name.data(), file);
        const int opened = order.what == errand_kind::open ? static_cast<int>(result.value) : -1;
        answer(socket, result, opened);
        if (opened >= 0) ::close(opened);
        if (file >= 0) ::close(file);
    }
}

} // namespace httpd
