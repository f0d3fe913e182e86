// The responses of a connection, but for the bodies that come from files: serving/. The rest is in connection.cpp.
#include "connection.hpp"

#include "event_loop.hpp"
#include "http/media_type.hpp"
#include "http/target.hpp"
#include "net/network.hpp"

namespace httpd {

connection::step connection::refuse(status code) {
    const auto body = body_of(code);
    response_head head;
    head.code = code;
    head.content_type = "text/plain";
    head.content_length = body.size();
    return begin_response(head, body);
}

connection::step connection::refuse_for(int error) {
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP: return refuse(status::not_found);
    case EACCES:
    case EPERM:
    case EXDEV: // out of the document root
    case ENXIO: // a socket, or a device without its driver
    case ENODEV: return refuse(status::forbidden);
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN: return refuse(status::service_unavailable);
    default: return refuse(status::internal_server_error);
    }
}

connection::step connection::redirect() {
    const auto body = body_of(status::moved_permanently);
    const auto location = encode_path(request_.path) + "/";
    response_head head;
    head.code = status::moved_permanently;
    head.content_type = "text/plain";
    head.content_length = body.size();
    head.location = location;
    return begin_response(head, body);
}

connection::step connection::begin_file_response(const struct stat &status) {
    if (S_ISDIR(status.st_mode)) return file_name_ == request_.path ? redirect() : refuse(status::not_found);
    if (!S_ISREG(status.st_mode)) return refuse(status::forbidden);
    response_head head;
    head.content_type = media_type_of(file_name_);
    head.content_length = static_cast<std::uint64_t>(status.st_size);
    head.last_modified = status.st_mtime;
    body_offset_ = 0;
    body_left_ = request_.is_head ? 0 : head.content_length;
    return begin_response(head, {});
}

// `body` is that of an answer of ours.
connection::step connection::begin_response(response_head head, std::string_view body) {
    close_after_ = request_.framing_lost || !request_.keep_alive || shared_.stopping;
    if (close_after_) head.connection = persistence::close;
    else if (request_.is_http_1_0) head.connection = persistence::keep_announce;
    code_ = head.code;
    if (code_ != status::ok) body_left_ = 0;
    head_ = format_head(head, shared_.loop.date());
    if (!request_.is_head) head_ += body;
    return send_head(body_left_ > 0);
}

connection::step connection::send_head(bool more) {
    if (aborted_) return give_up();
    parts_ = {iovec{head_.data(), head_.size()}};
    return then(&connection::head_sent, shared_.net.send(*this, socket_, parts_, more), deadline::send);
}

connection::step connection::head_sent() {
    if (!sent_all(head_.size())) return give_up();
    return body_left_ > 0 ? send_body() : end_response();
}

// Otherwise the peer is gone, or took too long, or the file became shorter than the length we promised.
bool connection::sent_all(std::uint64_t length) {
    shared_.loop.disarm(*this);
    expired_ = false;
    if (result_.value > 0) shared_.counts.bytes_sent += static_cast<std::uint64_t>(result_.value);
    return result_.value >= 0 && static_cast<std::uint64_t>(result_.value) == length;
}

// Closing before its announced length tells the client so.
connection::step connection::give_up() {
    ++shared_.counts.aborted;
    aborted_ = true;
    return release_file();
}

connection::step connection::end_response() {
    shared_.counts.count_response(code_);
    return release_file();
}

connection::step connection::file_released() {
    if (aborted_) return close_socket();
    if (close_after_) return request_.framing_lost || !input_.empty() ? linger() : close_socket();
    return next_request();
}

} // namespace httpd
