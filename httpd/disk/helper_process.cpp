#include "disk/helper_process.hpp"

#include "disk/helper_message.hpp"
#include "signals_blocked.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

namespace httpd {

helper_process::helper_process(int root) {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
        throw std::system_error(errno, std::generic_category(), "a helper's socket pair");
    const auto [ours, its] = ends;
    const pid_t server = ::getpid();
    int error = 0;
    {
        const signals_blocked meanwhile; // the terminal's are for the server, which ends its helpers in order
        pid_ = ::fork();
        if (pid_ == 0) helper_process_main(its, root, server);
        error = errno;
    }
    ::close(its);
    if (pid_ < 0) {
        ::close(ours);
        throw std::system_error(error, std::generic_category(), "a helper process");
    }
    socket_ = ours;
}

helper_process::~helper_process() {
    ::close(socket_);
    ::kill(pid_, SIGKILL);
}

int helper_process::ask(const errand &what) {
    errand_order order = what.order;
    std::string name = what.name;
    std::array parts{iovec{&order, sizeof order}, iovec{name.data(), name.size() + 1}};
    asked_ = order.what;
    return send_message(socket_, parts, what.file, MSG_DONTWAIT) < 0 ? errno : 0;
}

int helper_process::answer(errand_result &result) {
    std::array parts{iovec{&result, sizeof result}};
    int descriptor = -1;
    const auto length = receive_message(socket_, parts, descriptor, MSG_DONTWAIT);
    if (length < 0) return errno;
    if (length != sizeof result) return EPIPE;
    if (asked_ != errand_kind::open || result.value < 0) return 0;
    if (descriptor >= 0) result.value = descriptor;
    else result = errand_result::failure(EMFILE); // it had no room here
    return 0;
}

} // namespace httpd
