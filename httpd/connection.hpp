// One client's connection: its requests, one after the other, each answered before the next is looked at. A connection
// is a chain of handlers, each of which asks a strategy for one thing and names the handler that goes on with the outcome;
// turn() walks the chain until something is in the background. It lives until its socket is closed. How a file is found
// and sent is the way of serving, a class of its own in serving/.
// Memory: a buffer for request heads, and the head of the response under way.
// Handlers that call each other lost: what completes at once would recurse as deep as a client pipelines.
#pragma once

#include "cache/open_file.hpp"
#include "http/request_stream.hpp"
#include "http/response_head.hpp"
#include "statistics.hpp"
#include "task.hpp"

#include <sys/uio.h>

#include <array>
#include <functional>
#include <string>

namespace httpd {

class access_log;
class connection;
class disk;
class event_loop;
class mapped_file_cache;
class name_cache;
class network;

// What all connections share. Outlives them.
struct service {
    event_loop &loop;
    network &net;
    disk &files;
    name_cache &names;
    mapped_file_cache &mappings;
    const descriptor_closer &closer; // of descriptors for which nobody has to wait
    statistics &counts;
    const request_limits &limits;
    access_log *log;                             // or none
    std::function<void(connection &)> on_closed; // a connection's last act: destroys it
    bool stopping = false;                       // finish what has begun, then close
};

class connection : public task {
public:
    connection(service &shared, int socket); // takes the socket; begins at its first turn()

    void completed(outcome result) final;
    void deadline_passed() final;
    void turn() final;

    void stop();  // close now if no request has begun; else after the answer to it (service::stopping is set)
    void abort(); // close as soon as what is in the background lets go

protected:
    static constexpr std::uint64_t chunk_bytes =
        262144;                                 // of a file for one connection, before it is the turn of the next
    static constexpr int open_retries_max = 16; // when renames race with a walk through "..", or descriptors are short

    enum class step { go_on, wait, gone };
    using handler = step (connection::*)();

    // The way of serving: begins an answer to request_ from the file called file_name_, by begin_file_response() or a
    // refusal; ...
    virtual step answer_file() = 0;
    // ... sends it: the head by send_head(), and what body_offset_ and body_left_ say of the file; ends in end_response()
    // or give_up(); ...
    virtual step send_file_response() = 0;
    // ... the file is not needed any more.
    virtual void release_file() = 0;
    // Whether a connection may serve more than one request.
    virtual bool persists() const = 0;

    template <typename derived> step then(step (derived::*next)(), outcome result) {
        next_ = static_cast<handler>(next);
        result_ = result;
        return result.in_background() ? step::wait : step::go_on;
    }
    template <typename derived> step then(step (derived::*next)(), outcome result, deadline limit) {
        if (result.in_background()) arm(limit);
        return then(next, result);
    }

    step refuse(status code);
    step refuse_for(int error); // of opening a file; EISDIR: it is a directory
    step begin_file_response(const file_head &file);
    outcome send_head(iovec beside, bool more); // and what goes with it
    bool sent_all(std::uint64_t length);        // after a send with deadline::send
    std::size_t head_length() const { return head_.size(); }
    step end_response();
    step give_up(); // the response cannot be finished

    service &shared_;
    int socket_;
    outcome result_; // of the latest
    bool aborted_ = false;
    request request_;
    std::string file_name_;
    off_t body_offset_ = 0;       // in the file
    std::uint64_t body_left_ = 0; // of the file, not yet sent

private:
    // Requests
    step next_request();
    step receive();
    step received();
    step answer();

    // Responses
    step redirect(); // a directory, asked for without its slash
    step answer_with(answer_head answer);
    void begin_response(status code);
    step answer_sent();
    step go_on_after_response();
    void write_log();

    // The end
    step linger();
    step sending_ended();
    step lingered();
    step close_socket();
    step socket_closed();

    void arm(deadline limit);

    handler next_; // goes on with result_
    bool expired_ = false;
    bool receiving_ = false; // what is in the background is a receive() of requests

    request_stream input_;
    status code_ = status::ok;
    persistence connection_ = persistence::keep; // what the response says of it
    std::string head_;                           // of the response, and the body if it is ours
    std::size_t own_body_ = 0;                   // bytes of head_ that are the body
    std::uint64_t bytes_sent_ = 0;               // of the response
    std::array<iovec, 2> parts_{};
    std::string client_; // its address, once the log has asked for it
    std::uint64_t lingered_bytes_ = 0;
};

} // namespace httpd
