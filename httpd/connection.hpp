// One client's connection: its requests, one after the other, each answered before the next is looked at. A connection
// is a chain of handlers, each of which makes one call and names the handler that goes on with the outcome; turn() walks
// the chain until a call is in the background. It has at most one call there, and lives until its socket is closed.
// Memory: a buffer for request heads always, one for file bytes only while a response is being sent.
// Handlers that call each other lost: calls that complete at once would recurse as deep as a client pipelines.
#pragma once

#include "http/request_stream.hpp"
#include "http/response_head.hpp"
#include "statistics.hpp"
#include "task.hpp"

#include <sys/stat.h>

#include <functional>
#include <memory>
#include <string>

namespace httpd {

class connection;
class event_loop;

// What all connections share. Outlives them.
struct service {
    event_loop &loop;
    statistics &counts;
    const request_limits &limits;
    int root;                                    // descriptor of the document root
    std::function<void(connection &)> on_closed; // a connection's last act: destroys it
    bool stopping = false;                       // finish what has begun, then close
};

class connection final : public task {
public:
    connection(service &shared, int socket); // takes the socket; begins at its first turn()

    void completed(outcome result) override;
    void deadline_passed() override;
    void turn() override;

    void stop();  // close now if no request has begun; else after the answer to it (service::stopping is set)
    void abort(); // close as soon as the call in the background lets go

private:
    enum class step { go_on, wait, gone };
    using handler = step (connection::*)();

    step then(handler next, outcome result);
    step then(handler next, outcome result, deadline limit);

    // Requests
    step next_request();
    step receive();
    step received();
    step answer();

    // Files
    step open_file();
    step opened();
    step examined();
    step read_file();
    step file_read();

    // Responses
    step refuse(status code);
    step redirect();
    step begin_response(response_head head, std::string_view body);
    step send();
    step sent();
    step give_up();
    step end_response();
    step file_closed();

    // The end
    step linger();
    step sending_ended();
    step lingered();
    step close_socket();
    step socket_closed();

    bool has_file() const { return file_ >= 0; }

    service &shared_;
    int socket_;

    handler next_;   // goes on with result_
    outcome result_; // of the latest call
    bool expired_ = false;
    bool aborted_ = false;
    bool receiving_ = false; // the call in the background is a receive() of requests

    request_stream input_;
    request request_;

    int file_ = -1;
    int open_retries_ = 0;
    std::string file_name_;
    struct stat file_status_ {};
    std::int64_t file_offset_ = 0;

    status code_ = status::ok;
    bool close_after_ = false;
    std::unique_ptr<char[]> output_; // the head, and as much of the body as fits; then chunks of the body
    std::size_t output_capacity_ = 0;
    std::size_t output_length_ = 0;
    std::uint64_t body_left_ = 0; // of the file, not yet in output_
    std::uint64_t lingered_bytes_ = 0;
};

} // namespace httpd
