// The answers of a connection: from the name of a file to the last byte of a response. The rest is in connection.cpp.
#include "connection.hpp"

#include "disk/laio_disk.hpp"
#include "event_loop.hpp"
#include "http/media_type.hpp"
#include "http/target.hpp"
#include "net/laio_network.hpp"

#include <algorithm>
#include <utility>

namespace httpd {
namespace {

constexpr std::size_t chunk_bytes = 65536; // of a file in memory for one connection
constexpr int open_retries_max = 16;       // when renames race with a walk through ".."

status status_of_open_error(int error) {
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP: return status::not_found;
    case EACCES:
    case EPERM:
    case EXDEV: // out of the document root
    case ENXIO: // a socket, or a device without its driver
    case ENODEV: return status::forbidden;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN: return status::service_unavailable;
    default: return status::internal_server_error;
    }
}

} // namespace

// ---- Files ----------------------------------------------------------------------------------------------------------

connection::step connection::open_file() {
    return then(&connection::opened, disk::open(*this, shared_.root, file_name_.c_str()));
}

connection::step connection::opened() {
    if (result_.error == EAGAIN && ++open_retries_ < open_retries_max) return open_file();
    if (result_.failed()) return refuse(status_of_open_error(result_.error));
    file_ = static_cast<int>(result_.value);
    return then(&connection::examined, disk::status(*this, file_, file_status_));
}

connection::step connection::examined() {
    if (result_.failed()) return refuse(status::internal_server_error);
    if (S_ISDIR(file_status_.st_mode)) return file_name_ == request_.path ? redirect() : refuse(status::not_found);
    if (!S_ISREG(file_status_.st_mode)) return refuse(status::forbidden);
    disk::make_blocking(*this, file_);

    response_head head;
    head.content_type = media_type_of(file_name_);
    head.content_length = static_cast<std::uint64_t>(file_status_.st_size);
    head.last_modified = file_status_.st_mtime;
    return begin_response(head, {});
}

connection::step connection::read_file() {
    const auto room = std::min<std::uint64_t>(output_capacity_ - output_length_, body_left_);
    const std::span<char> where(output_.get() + output_length_, static_cast<std::size_t>(room));
    return then(&connection::file_read, disk::read(*this, file_, where, file_offset_));
}

connection::step connection::file_read() {
    if (result_.value <= 0) { // an error, or a file that became shorter than the length we promised
        const bool nothing_sent = file_offset_ == 0;
        return nothing_sent ? refuse(status::internal_server_error) : give_up();
    }
    output_length_ += static_cast<std::size_t>(result_.value);
    file_offset_ += result_.value;
    body_left_ -= static_cast<std::uint64_t>(result_.value);
    shared_.counts.bytes_read += static_cast<std::uint64_t>(result_.value);
    return send();
}

// ---- Responses ------------------------------------------------------------------------------------------------------

connection::step connection::refuse(status code) {
    const auto body = body_of(code);
    response_head head;
    head.code = code;
    head.content_type = "text/plain";
    head.content_length = body.size();
    return begin_response(head, body);
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

// `body` is that of an answer of ours; the body of a 200 comes from the file.
connection::step connection::begin_response(response_head head, std::string_view body) {
    close_after_ = request_.framing_lost || !request_.keep_alive || shared_.stopping;
    if (close_after_) head.connection = persistence::close;
    else if (request_.is_http_1_0) head.connection = persistence::keep_announce;
    const auto text = format_head(head, shared_.loop.date());

    code_ = head.code;
    file_offset_ = 0;
    body_left_ = head.code == status::ok && !request_.is_head ? head.content_length : 0;
    if (request_.is_head) body = {};

    const auto own_bytes = text.size() + body.size();
    const auto wanted = std::min<std::uint64_t>(own_bytes + body_left_, chunk_bytes);
    output_capacity_ = std::max(own_bytes, static_cast<std::size_t>(wanted));
    output_ = std::make_unique_for_overwrite<char[]>(output_capacity_);
    std::copy(body.begin(), body.end(), std::copy(text.begin(), text.end(), output_.get()));
    output_length_ = own_bytes;
    return body_left_ > 0 ? read_file() : send();
}

connection::step connection::send() {
    if (aborted_) return give_up();
    return then(&connection::sent, net::send(*this, socket_, {output_.get(), output_length_}, body_left_ > 0),
                deadline::send);
}

connection::step connection::sent() {
    shared_.loop.disarm(*this);
    expired_ = false;
    if (result_.value > 0) shared_.counts.bytes_sent += static_cast<std::uint64_t>(result_.value);
    if (result_.value != static_cast<long>(output_length_)) return give_up(); // the peer is gone, or took too long
    if (body_left_ == 0) {
        shared_.counts.count_response(code_);
        return end_response();
    }
    output_length_ = 0;
    return read_file();
}

// The response cannot be finished. Closing before its announced length tells the client so.
connection::step connection::give_up() {
    ++shared_.counts.aborted;
    aborted_ = true;
    return end_response();
}

connection::step connection::end_response() {
    output_.reset();
    if (!has_file()) return file_closed();
    return then(&connection::file_closed, disk::close(*this, std::exchange(file_, -1)));
}

connection::step connection::file_closed() {
    if (aborted_) return close_socket();
    if (close_after_) return request_.framing_lost || !input_.empty() ? linger() : close_socket();
    return next_request();
}

} // namespace httpd
