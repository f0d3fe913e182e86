// The server: owns the loop, the listener and the connections, and ends them in order. As a task, it waits for the
// signals, which come from a signal descriptor.
// SIGTERM or SIGINT: no new connections, requests that have begun are answered, idle connections closed; after the drain
// timeout, or at a second signal, what is left is cut off. SIGHUP: the log goes to a new file. SIGUSR1: a report. One
// thread.
#pragma once

#include "access_log.hpp"
#include "cache/mapped_file_cache.hpp"
#include "cache/name_cache.hpp"
#include "connection.hpp"
#include "disk/closer.hpp"
#include "event_loop.hpp"
#include "listener.hpp"
#include "options.hpp"
#include "statistics.hpp"
#include "versions.hpp"

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

namespace httpd {

class server final : public task {
public:
    // Opens the directory, listens, and blocks the signals to stop for this thread and those made later. Throws
    // std::system_error or std::invalid_argument.
    // `report` is called at SIGUSR1.
    server(const server_options &options, std::function<void()> report);
    ~server() override;

    std::string url() const;
    server_report report() const;

    // Serves until stopped. True: everything has ended. False: some call does not let go (a dead disk), and the server
    // must not be destroyed; leave by _exit(2).
    bool run();

    void completed(outcome result) override;
    void deadline_passed() override;

private:
    enum class stage { serving, draining, cutting_off };

    void wait_for_signal();
    void heed(unsigned signal);
    void accepted(int socket);
    void closed(connection &which);
    void drain();
    void cut_off();
    void end_when_all_ended();

    // Looks through the caches, once a second.
    class keeper final : public task {
    public:
        explicit keeper(server &owner) : owner_(owner) {}
        void completed(outcome /*result*/) override {}
        void deadline_passed() override { turn(); }
        void turn() override;

    private:
        server &owner_;
    };

    server_options options_;
    std::function<void()> report_;
    statistics counts_;
    int root_;
    int listening_socket_;
    int signals_;
    strategies with_;
    event_loop loop_;
    closer closing_;
    descriptor_closer close_;
    name_cache names_;
    mapped_file_cache mappings_;
    std::unique_ptr<access_log> log_;
    service service_;
    listener listener_;
    bool listener_closed_ = false;
    std::unordered_map<connection *, std::unique_ptr<connection>> connections_;
    stage stage_ = stage::serving;
    keeper keeper_{*this};
};

} // namespace httpd
