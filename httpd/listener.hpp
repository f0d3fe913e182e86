// The listening socket: one accept at a time, as long as there is room for a connection. Without room, or when the kernel
// has no descriptor or memory for one more, it pauses until a connection has closed; clients wait in the backlog.
#pragma once

#include "statistics.hpp"
#include "task.hpp"

#include <functional>

namespace httpd {

class event_loop;
class network;

class listener final : public task {
public:
    struct events {
        std::function<bool()> has_room;
        std::function<void(int)> accepted; // takes the socket
        std::function<void()> closed;      // after stop()
    };
    listener(event_loop &loop, network &net, statistics &counts, int socket, events owner);

    void start() { turn(); }
    void resume(); // a connection has closed
    void stop();

    void completed(outcome result) override;
    void deadline_passed() override { resume(); }
    void turn() override;

private:
    enum class state { accepting, paused, closing, closed };

    void take(outcome result);
    void pause();
    void close();
    void socket_closed();

    event_loop &loop_;
    network &net_;
    statistics &counts_;
    int socket_;
    events owner_;
    state state_ = state::accepting;
    bool in_background_ = false;
};

} // namespace httpd
