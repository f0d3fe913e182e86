// The server: owns the loop, the listener and the connections, and ends them in order. As a task, it waits for the
// signals to stop, which come from a signal descriptor.
// SIGTERM or SIGINT: no new connections, requests that have begun are answered, idle connections closed; after the drain
// timeout, or at a second signal, what is left is cut off. One thread.
#pragma once

#include "connection.hpp"
#include "event_loop.hpp"
#include "listener.hpp"
#include "options.hpp"
#include "statistics.hpp"
#include "versions.hpp"

#include <memory>
#include <string>
#include <unordered_map>

namespace httpd {

class server final : public task {
public:
    // Opens the directory, listens, and blocks the signals to stop for this thread and those made later. Throws
    // std::system_error or std::invalid_argument.
    explicit server(const server_options &options);
    ~server() override;

    std::string url() const;
    const statistics &counts() const { return counts_; }
    const turn_counts &turns() const { return loop_.turns(); }

    // Serves until stopped. True: everything has ended. False: some call does not let go (a dead disk), and the server
    // must not be destroyed; leave by _exit(2).
    bool run();

    void completed(outcome result) override;
    void deadline_passed() override;

private:
    enum class stage { serving, draining, cutting_off };

    void wait_for_signal();
    void accepted(int socket);
    void closed(connection &which);
    void drain();
    void cut_off();
    void end_when_all_ended();

    server_options options_;
    statistics counts_;
    int root_;
    int listening_socket_;
    int signals_;
    strategies with_;
    event_loop loop_;
    service service_;
    listener listener_;
    bool listener_closed_ = false;
    std::unordered_map<connection *, std::unique_ptr<connection>> connections_;
    stage stage_ = stage::serving;
};

} // namespace httpd
