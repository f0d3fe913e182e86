// A connection to the server, and the one request that is under way on it: GET, and all of its response. Never waits: the
// caller registers nothing, but tells advance() what epoll said of it. Owns its socket, which is registered as long as it is
// open, level-triggered. An event of a socket that was closed amid a batch of events may reach the next one: nothing here
// believes an event, each only makes it look.
// Bodies of a known length are dropped in the kernel (MSG_TRUNC), which costs a third less than copying them.
#pragma once

#include "client/response_reader.hpp"
#include "client/url.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace replay {

using steady_time = std::chrono::steady_clock::time_point;

// What the connections of a run have in common.
struct server_view {
    endpoint address;
    std::string request_tail; // of a request, after its path
    bool one_request = false; // a connection for each
    int epoll = -1;
    std::span<char> scratch{}; // for what is received; no connection keeps anything there
};

server_view view_of(const url &server, const endpoint &address, bool one_request);

class connection {
public:
    // `tag` comes with its events. Both live longer.
    connection(const server_view &server, void *tag) : server_(server), tag_(tag) {}
    connection(const connection &) = delete;
    connection &operator=(const connection &) = delete;
    ~connection() { close(); }

    // Connects, if it is not; what comes of it, the next request sees.
    void prepare();
    // Sends a request, over the connection that there is or a new one. False: it has failed already.
    bool begin(std::string_view path, std::optional<content> expected);
    // True: the request has ended.
    bool advance(std::uint32_t events);
    // The same when nothing moved since `before`.
    bool expire(steady_time before);
    void close();

    std::optional<steady_time> connecting_since() const;
    // How long connecting took: once for each connection that was made.
    std::optional<std::chrono::nanoseconds> take_connect_time() { return std::exchange(connect_time_, std::nullopt); }

    // Of the last request.
    failure verdict() const { return problem_ != failure::none ? problem_ : reader_.verdict(); }
    const response_reader &response() const { return reader_; }
    steady_time first_byte() const { return first_byte_; }
    steady_time last_moved() const { return moved_; }

private:
    enum class stage { closed, connecting, sending, receiving, idle };

    bool open();
    bool send();
    bool receive();
    bool watch(std::uint32_t events);
    bool come_through();
    bool fail(failure why);
    bool end();

    const server_view &server_;
    void *tag_;
    int socket_ = -1;
    std::uint32_t watched_ = 0; // what epoll was asked to tell of it
    stage stage_ = stage::closed;
    failure problem_ = failure::none;
    std::string request_;
    std::size_t sent_ = 0;
    response_reader reader_;
    steady_time connect_began_, first_byte_, moved_;
    std::optional<std::chrono::nanoseconds> connect_time_;
};

} // namespace replay
