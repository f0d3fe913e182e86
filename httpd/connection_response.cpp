// The responses of a connection, but for the bodies that come from files: serving/. The rest is in connection.cpp.
#include "connection.hpp"

#include "event_loop.hpp"
#include "http/target.hpp"
#include "net/network.hpp"

#include <ctime>

namespace httpd {

connection::step connection::refuse(status code) { return answer_with({.code = code}); }

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
    const auto location = encode_path(request_.path) + "/";
    return answer_with({.code = status::moved_permanently, .location = location});
}

connection::step connection::begin_file_response(const struct stat &status) {
    if (S_ISDIR(status.st_mode)) return file_name_ == request_.path ? redirect() : refuse(status::not_found);
    if (!S_ISREG(status.st_mode)) return refuse(status::forbidden);
    const auto now = std::time(nullptr);
    const auto file = describe(file_name_, status, now);
    const auto outcome = judge_conditions(request_, file, now);
    if (!sends_file(outcome)) return answer_with({.code = outcome.code, .file_length = file.length});

    begin_response(outcome.code);
    format_head(head_, outcome, format_file_fields(file), connection_, shared_.loop.date());
    body_offset_ = static_cast<off_t>(outcome.part.first);
    body_left_ = request_.is_head ? 0 : outcome.part.length;
    return send_head();
}

connection::step connection::answer_with(answer_head answer) {
    begin_response(answer.code);
    answer.connection = connection_;
    format_head(head_, answer, shared_.loop.date());
    if (!request_.is_head) head_ += body_of(code_);
    body_left_ = 0;
    return send_head();
}

void connection::begin_response(status code) {
    code_ = code;
    if (request_.framing_lost || !request_.keep_alive || shared_.stopping) connection_ = persistence::close;
    else connection_ = request_.is_http_1_0 ? persistence::keep_announce : persistence::keep;
    head_.clear();
}

connection::step connection::send_head() {
    if (aborted_) return give_up();
    parts_ = {iovec{head_.data(), head_.size()}};
    return then(&connection::head_sent, shared_.net.send(*this, socket_, parts_, body_left_ > 0), deadline::send);
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
    if (connection_ == persistence::close) return request_.framing_lost || !input_.empty() ? linger() : close_socket();
    return next_request();
}

} // namespace httpd
