// The responses of a connection, but for the bodies that come from files: serving/. The rest is in connection.cpp.
#include "connection.hpp"

#include "access_log.hpp"
#include "event_loop.hpp"
#include "http/target.hpp"
#include "net/network.hpp"
#include "net/socket_address.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <set>
#include <span>

namespace httpd {
namespace {

// Of each error the first: the file system's, most often, and then of many files.
void tell_once(int error) {
    static std::set<int> told;
    if (told.insert(error).second) std::fprintf(stderr, "laio-httpd: answering 500: %s\n", std::strerror(error));
}

} // namespace

connection::step connection::refuse(status code) { return answer_with({.code = code}); }

connection::step connection::refuse_for(int error) {
    switch (error) {
    case EISDIR: return redirect();
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
    case ENOBUFS:      // asking a helper, or
    case ETOOMANYREFS: // its answer
    case EAGAIN: return refuse(status::service_unavailable);
    default: tell_once(error); return refuse(status::internal_server_error);
    }
}

// Only "name" is: "name/" was asked for with an index in it, which is not there.
connection::step connection::redirect() {
    if (file_name_ != request_.path) return refuse(status::not_found);
    const auto location = encode_path(request_.path) + "/";
    return answer_with({.code = status::moved_permanently, .location = location});
}

connection::step connection::begin_file_response(const file_head &file) {
    const auto outcome = judge_conditions(request_, file.about, std::time(nullptr));
    if (!sends_file(outcome)) return answer_with({.code = outcome.code, .file_length = file.about.length});
    begin_response(outcome.code);
    format_head(head_, outcome, file.fields, connection_, shared_.loop.date());
    body_offset_ = static_cast<off_t>(outcome.part.first);
    body_left_ = request_.is_head ? 0 : outcome.part.length;
    return send_file_response();
}

connection::step connection::answer_with(answer_head answer) {
    begin_response(answer.code);
    answer.connection = connection_;
    format_head(head_, answer, shared_.loop.date());
    const auto length = head_.size();
    if (!request_.is_head) head_ += body_of(code_);
    own_body_ = head_.size() - length;
    return then(&connection::answer_sent, send_head({}, false), deadline::send);
}

void connection::begin_response(status code) {
    code_ = code;
    if (request_.framing_lost || !request_.keep_alive || !persists() || shared_.stopping)
        connection_ = persistence::close;
    else connection_ = request_.is_http_1_0 ? persistence::keep_announce : persistence::keep;
    head_.clear();
    own_body_ = 0;
    bytes_sent_ = 0;
}

outcome connection::send_head(iovec beside, bool more) {
    if (aborted_) return outcome::failure(ECANCELED);
    parts_ = {iovec{head_.data(), head_.size()}, beside};
    return shared_.net.send(*this, socket_, std::span(parts_).first(beside.iov_len > 0 ? 2 : 1), more);
}

connection::step connection::answer_sent() { return sent_all(head_.size()) ? end_response() : give_up(); }

// Otherwise the peer is gone, or took too long, or the file became shorter than the length we promised.
bool connection::sent_all(std::uint64_t length) {
    shared_.loop.disarm(*this);
    expired_ = false;
    const auto sent = static_cast<std::uint64_t>(std::max(result_.value, 0L));
    shared_.counts.bytes_sent += sent;
    bytes_sent_ += sent;
    return result_.value >= 0 && static_cast<std::uint64_t>(result_.value) == length;
}

// Closing before its announced length tells the client so.
connection::step connection::give_up() {
    ++shared_.counts.aborted;
    aborted_ = true;
    return go_on_after_response();
}

connection::step connection::end_response() {
    shared_.counts.count_response(code_);
    return go_on_after_response();
}

connection::step connection::go_on_after_response() {
    release_file();
    if (shared_.log != nullptr) write_log();
    if (aborted_) return close_socket();
    if (connection_ == persistence::close) return request_.framing_lost || !input_.empty() ? linger() : close_socket();
    return next_request();
}

void connection::write_log() {
    if (client_.empty()) client_ = peer_of(socket_);
    const auto head_bytes = head_.size() - own_body_;
    shared_.log->append({.host = client_,
                         .line = request_.line,
                         .referer = request_.referer,
                         .user_agent = request_.user_agent,
                         .code = code_,
                         .body_bytes = bytes_sent_ > head_bytes ? bytes_sent_ - head_bytes : 0},
                        std::time(nullptr));
}

} // namespace httpd
