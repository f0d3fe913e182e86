// A helper process, as the event loop sees it: asked over a socket pair, one errand at a time. The end of the socket is the
// end of the process, and of the server that of the helper.
// It is made by fork() alone. What runs in the child is async-signal-safe, so it does not matter which threads there are; an
// execve() of ourselves would cost the start of a program each, and need a way for the program to be found.
// The loop's thread, except helper_process_main.cpp, which is the child.
#pragma once

#include "disk/errand.hpp"

#include <sys/types.h>

namespace httpd {

class helper_process {
public:
    explicit helper_process(int root); // throws std::system_error
    helper_process(const helper_process &) = delete;
    helper_process &operator=(const helper_process &) = delete;
    ~helper_process(); // kills it; who owns it calls waitpid(2)

    int socket() const { return socket_; } // readable: answer()
    pid_t pid() const { return pid_; }

    // 0 or an error; EPIPE or ECONNRESET: it is gone. Its name is shorter than PATH_MAX.
    int ask(const errand &what);
    // 0, or an error; EAGAIN: it has not answered yet; any other: it is gone.
    int answer(errand_result &result);

private:
    int socket_ = -1;
    pid_t pid_ = -1;
    errand_kind asked_{};
};

// What the child does until the socket ends. Async-signal-safe.
[[noreturn]] void helper_process_main(int socket, int root, pid_t server);

} // namespace httpd
